"""Where something came from, as a tree: layer, file, product, observation, program, exposures."""

from dataclasses import dataclass, field
from pathlib import Path

from astropy.time import Time

from jdaviz_mast.errors import FileProblem

__all__ = ["Origin", "Provenance", "observation_origin", "product_origin",
           "program_origin"]  # fmt: skip

_LAST_DAY = 1e5  # MJD, in the year 2132; what lies beyond is no date
#: What a person calls each kind of node.
_NOUNS = {"layer": "Layer", "file": "File", "product": "Product", "observation": "Observation",
          "program": "Program", "data": "DOI of the data", "exposures": "Made of"}  # fmt: skip


@dataclass
class Origin:
    """One thing, and those that it came from.

    Attributes
    ----------
    kind : str
        ``'layer'``, ``'file'``, ``'product'``, ``'observation'``, ``'program'``, ``'data'`` (a
        DOI) or ``'exposures'`` (what a product was made of, named by its association).
    name : str
    facts : dict
        Name to text, in the order in which they are told.
    origins : list of Origin
        What it came from, the nearest first.
    """

    kind: str
    name: str
    facts: dict = field(default_factory=dict)
    origins: list = field(default_factory=list)

    def walk(self):
        """Yield this and all that it came from."""
        yield self
        for origin in self.origins:
            yield from origin.walk()

    def as_dict(self):
        """Return it as JSON knows it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "facts": self.facts,
            "origins": [origin.as_dict() for origin in self.origins],
        }


@dataclass
class Provenance:
    """The way from one thing back to its raw exposures.

    Attributes
    ----------
    root : Origin
    notes : list of str
        What could not be found out, and why.
    """

    root: Origin
    notes: list = field(default_factory=list)

    def rows(self):
        """Return the tree line by line, for a narrow place: (depth, text, facts as text)."""
        found = []

        def add(origin, depth):
            facts = ", ".join(
                f"{name} {f'{value[:12]}…' if name == 'sha256' else value}"
                for name, value in origin.facts.items()
            )
            found.append((depth, f"{_NOUNS[origin.kind]}: {origin.name}", facts))
            for one in origin.origins:
                add(one, depth + 1)

        add(self.root, 0)
        return found

    def __str__(self):
        lines = []

        def add(origin, lead, last):
            facts = ", ".join(f"{name} {value}" for name, value in origin.facts.items())
            text = f"{_NOUNS[origin.kind]}: {origin.name}" + (f" ({facts})" if facts else "")
            lines.append(text if last is None else f"{lead}{'└' if last else '├'}─ {text}")
            lead = "" if last is None else lead + ("   " if last else "│  ")
            for number, one in enumerate(origin.origins, 1):
                add(one, lead, number == len(origin.origins))

        add(self.root, "", None)
        return "\n".join([*lines, *self.notes])

    def as_dict(self):
        """Return it as JSON knows it."""
        return {"root": self.root.as_dict(), "notes": self.notes}

    def to_prov(self):
        """Return it as a document of the W3C's PROV data model.

        Returns
        -------
        document : `prov.model.ProvDocument`
        """
        from jdaviz_mast.library.prov_document import document_of

        return document_of(self.root)

    def write(self, path):
        """Write it as PROV-JSON (https://www.w3.org/submissions/prov-json/).

        Parameters
        ----------
        path : path-like

        Returns
        -------
        path : `~pathlib.Path`

        Raises
        ------
        FileProblem
            If it cannot be written there.
        """
        path = Path(path)
        text = self.to_prov().serialize(format="json", indent=1)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise FileProblem(f"{path} cannot be written: {error.strerror}.") from error
        return path


def product_origin(product, **more):
    """Return the node of a product row; ``more`` are further facts."""
    facts = {
        "level": product.get("calib_level"),
        "type": product.get("productType"),
        "version": product.get("prvversion"),
        "size": None if product.get("size") is None else f"{product['size']:,} bytes",
        "observation": product.get("obs_id"),
        "number": product.get("obsID"),
        **more,
    }
    return Origin("product", str(product.get("dataURI")), _known(facts))


def observation_origin(observation):
    """Return the node of an observation row, with its program behind it."""
    facts = {
        "mission": observation.get("obs_collection"),
        "target": observation.get("target_name"),
        "instrument": observation.get("instrument_name"),
        "filters": observation.get("filters"),
        "from": _day(observation.get("t_min")),
        "to": _day(observation.get("t_max")),
        "exposure time": _seconds(observation.get("t_exptime")),
        "made by": observation.get("provenance_name"),
        "rights": observation.get("dataRights"),
        "number": observation.get("obsid"),
    }
    return Origin("observation", str(observation.get("obs_id")), _known(facts))


def program_origin(observation):
    """Return the node of the program of an observation, or None."""
    number = observation.get("proposal_id")
    if not number:
        return None
    facts = {
        "principal investigator": observation.get("proposal_pi"),
        "title": observation.get("obs_title"),
        "category": observation.get("proposal_type"),
    }
    name = f"{observation.get('obs_collection') or ''} {number}".strip()
    return Origin("program", name, _known(facts))


def _known(facts):
    return {name: str(value) for name, value in facts.items() if value not in (None, "")}


def _day(mjd):
    """Return a time in MJD UTC as text, None if it is none."""
    if mjd is None or not 0 < mjd < _LAST_DAY:
        return None
    return Time(mjd, format="mjd", scale="utc").isot[:19] + "Z"


def _seconds(value):
    return None if value is None else f"{value:g} s"
