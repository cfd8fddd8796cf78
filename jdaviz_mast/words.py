"""How sizes, and texts that others wrote, are shown wherever a person reads them."""

__all__ = ["bytes_in_words", "one_line"]


def bytes_in_words(number):
    """Return such as ``12.3 MB``, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def one_line(text):
    """Return a text in one line, of characters that can be seen."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(plain.split())
