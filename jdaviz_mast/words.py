"""How sizes are written, wherever a person reads them."""

__all__ = ["bytes_in_words"]


def bytes_in_words(number):
    """Return such as ``12.3 MB``, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
