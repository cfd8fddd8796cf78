"""Associations: the lists of exposures that combined products were made of.

JWST's are JSON (https://jwst-pipeline.readthedocs.io/en/latest/jwst/associations/level3_asn_technical.html),
HST's are FITS tables (WFC3 Data Handbook, section 2.1.4: MEMNAME, MEMTYPE, MEMPRSNT).
"""

import io
import json
import re
from dataclasses import dataclass

from astropy.io import fits

from jdaviz_mast.errors import FileProblem

__all__ = ["Association", "read_association"]

_PLACEHOLDER = re.compile(r"\{\w+\}")  # "{source_id}" of products that are made one a source


@dataclass(frozen=True)
class Association:
    """What one combined product was made of.

    Attributes
    ----------
    name : str
        Of the product, as the association writes it: MAST's ``obs_id``, or its beginning.
    members : dict
        File name (JWST) or root name (HST) of each exposure in lower case, to what it was used as:
        ``"science"``, ``"background"``, ``"psf"``, ``"EXP-DTH"`` and so on. The names are the
        file's word; they have to be looked up in a list of products, and are no paths.
    """

    name: str
    members: dict

    def makes(self, obs_id):
        """Return whether an observation is what it makes, judged by its name."""
        pieces = [re.escape(piece) for piece in _PLACEHOLDER.split(self.name.lower())]
        # One association can make several products, whose names go on: channels of MIRI.
        pattern = "[a-z0-9]+".join(pieces) + "($|_)"
        return bool(self.name) and re.match(pattern, obs_id.lower()) is not None


def read_association(content, filename):
    """Read an association file.

    Parameters
    ----------
    content : bytes
    filename : str
        Its name in the archive; ``.fits`` tells a table of HST's.

    Returns
    -------
    associations : list of Association
        One for each product that the file is about.

    Raises
    ------
    FileProblem
        If it is no association.
    """
    read = _of_hst if filename.lower().endswith((".fits", ".fits.gz")) else _of_jwst
    try:
        return read(content)
    # Whatever a file may hold that is not what it should be.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError,
            fits.VerifyError) as error:  # fmt: skip
        raise FileProblem(
            f"{filename} is no association: its list of exposures cannot be read ({error!r})."
        ) from error


def _of_jwst(content):
    return [
        Association(
            str(product.get("name") or ""),
            {str(m["expname"]).rpartition("/")[2].lower(): str(m["exptype"]).lower()
             for m in product["members"]},
        )
        for product in json.loads(content)["products"]
    ]  # fmt: skip


def _of_hst(content):
    products, members = [], {}
    with fits.open(io.BytesIO(content)) as hdus:
        for row in hdus[1].data:
            name, role = (str(row[column]).strip() for column in ("MEMNAME", "MEMTYPE"))
            if role.upper().startswith("PROD"):
                products.append(name)
            else:
                members[name.lower()] = role
    return [Association(name, members) for name in products]
