"""How sizes, numbers of things and the texts of others are shown wherever a person reads them."""

from pathlib import Path

__all__ = ["bytes_in_words", "counted", "one_line", "without_folder"]

_PLURALS = {"spectrum": "spectra", "2D spectrum": "2D spectra"}


def bytes_in_words(number):
    """Return such as ``12.3 MB``, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def counted(number, noun):
    """Return such as ``1 file`` or ``1,024 files``."""
    plural = _PLURALS.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def one_line(text):
    """Return a text in one line, of characters that can be seen."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(plain.split())


def without_folder(text, folder):
    """Return a text that says “the download folder” where it names its place on this machine."""
    folder = Path(folder)
    places = {str(folder), str(folder.absolute()), str(folder.resolve())} - {".", "/"}
    # The longest first: one may be the beginning of another.
    for place in sorted(places, key=len, reverse=True):
        for named in ("the download folder", "The download folder"):
            text = text.replace(f"{named} {place}", named)
        text = text.replace(place, "the download folder")
    return text
