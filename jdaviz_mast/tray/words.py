"""How numbers of things, bytes and seconds are written in the tray."""

from jdaviz_mast.words import bytes_in_words, counted

__all__ = ["bytes_in_words", "counted", "cut", "seconds_in_words", "some_of"]


def seconds_in_words(seconds):
    """Return such as ``12 s``, ``3 min 5 s`` or ``2 h 10 min``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def some_of(names, most=6):
    """Return the first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def cut(text, most):
    """Return a text in one line of at most so many characters."""
    text = " ".join(str(text).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
