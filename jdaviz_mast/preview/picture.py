"""Pictures from outside: checked, decoded within limits, and written anew.

What an archive calls a picture may be anything. Only what begins as JPEG or PNG is decoded, by
the decoders for these two, and only what is written here is shown.
"""

import base64
import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from jdaviz_mast.errors import FileProblem

__all__ = ["Picture", "read_picture"]

#: First bytes of the two formats (ITU-T T.81, B.1.1.3; PNG, section 5.2).
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
#: Pixels of a picture that are decoded at the most; MAST's previews have a few million.
_MOST_PIXELS = 80_000_000
#: Pixels along the longer side of what is shown.
LONGEST_SIDE = 1600
_DECODER_ERRORS = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error,
                   Image.DecompressionBombError)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture that was written here.

    Attributes
    ----------
    data : bytes
    mime : str
        ``image/jpeg`` or ``image/png``.
    width, height : int
        In pixels.
    """

    data: bytes
    mime: str
    width: int
    height: int

    def __repr__(self):
        return f"<Picture {self.width} × {self.height}, {self.mime}>"

    def _repr_mimebundle_(self, **_):
        return {self.mime: self.data, "text/plain": repr(self)}

    def thumbnail(self, side):
        """Return it as a small JPEG.

        Parameters
        ----------
        side : int
            Pixels of the longer side.

        Returns
        -------
        picture : Picture
        """
        with Image.open(io.BytesIO(self.data)) as image:
            small = image.convert("RGB")
        small.thumbnail((side, side))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=80)
        return Picture(out.getvalue(), "image/jpeg", *small.size)

    @property
    def data_url(self):
        """It as text that a page shows without asking for it."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"

    def pixels(self):
        """Return the brightness of the pixels, from 0 to 255.

        Returns
        -------
        pixels : array of float32, shape (height, width)
            The lowest row first, as in FITS; of a coloured picture its luminance.
        """
        with Image.open(io.BytesIO(self.data)) as image:
            return np.asarray(image.convert("L"), dtype=np.float32)[::-1].copy()


def read_picture(data, name):
    """Decode a JPEG or PNG, and write it anew no larger than it can be shown.

    Parameters
    ----------
    data : bytes
    name : str
        What to call it in a sentence.

    Returns
    -------
    picture : Picture

    Raises
    ------
    FileProblem
        If it is something else, damaged, or larger than any preview.
    """
    if not data.startswith((_JPEG, _PNG)):
        raise FileProblem(f"{name} is neither a JPEG nor a PNG picture, so it is not shown.")
    try:
        with warnings.catch_warnings():
            # Its limit for a warning; ours is checked below, before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
        if image.width * image.height > _MOST_PIXELS:
            raise FileProblem(
                f"{name} has {image.width:,} × {image.height:,} pixels, too many for a preview."
            )
        # A JPEG can be decoded at a half, a quarter or an eighth of its size.
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
    except FileProblem:
        raise
    except _DECODER_ERRORS as error:
        raise FileProblem(f"{name} is damaged: it cannot be decoded ({error}).") from error
    return _written(image)


def _written(image):
    """Write an image: a photograph as JPEG, a plot with its sharp lines as PNG."""
    format_ = image.format
    if image.mode not in ("L", "RGB"):
        if "A" in image.getbands() or "transparency" in image.info:  # on white, as on a page
            if image.mode != "RGBA":
                image = image.convert("RGBA")
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))  # first: each copy is as large
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
        grey = image.mode in ("1", "I", "F") or image.mode.startswith("I;")
        image = image.convert("L" if grey else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    image.info.clear()  # comments and profiles would be written, too
    out = io.BytesIO()
    if format_ == "PNG":
        image.save(out, "PNG")
        return Picture(out.getvalue(), "image/png", *image.size)
    image.save(out, "JPEG", quality=90)
    return Picture(out.getvalue(), "image/jpeg", *image.size)
