"""Acknowledgement and citations for what is held: text, and BibTeX."""

import re
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import astropy
import astroquery

from jdaviz_mast.archive.datasets import collection_doi
from jdaviz_mast.library import credits

__all__ = ["Citations", "citations_of"]

_DOI_PORTAL = "https://archive.stsci.edu/doi/portal"
_MOST_NAMED = 50
#: What BibTeX and LaTeX read as a command.
_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
            **{c: "\\" + c for c in "&%$#_{}"}}  # fmt: skip
#: Whose proposals have an entry of their own, and how it is published.
_PROPOSALS = {"JWST": "JWST Proposal", "HST": "HST Proposal"}


@dataclass
class Citations:
    r"""What to write into a paper.

    Attributes
    ----------
    acknowledgements : list of str
        Paragraphs: missions, archive, DOIs of data, software.
    facilities : list of str
        As ``\facilities`` of AAS journals takes them.
    dois : list of str
        Of the data, as far as known.
    entries : list of str
        BibTeX, one for each thing to be cited.
    advice : list of str
        What is left to do.
    """

    acknowledgements: list
    facilities: list
    dois: list
    entries: list
    advice: list = field(default_factory=list)

    @property
    def text(self):
        """The acknowledgement, paragraph by paragraph."""
        facilities = f"Facilities: {', '.join(self.facilities)}." if self.facilities else ""
        return "\n\n".join(filter(None, [*self.acknowledgements, facilities]))

    @property
    def bibtex(self):
        """All entries, as a ``.bib`` file holds them."""
        return "\n\n".join(self.entries) + "\n"

    def as_dict(self):
        """Return it as JSON knows it."""
        names = ("acknowledgements", "facilities", "dois", "advice")
        return {n: getattr(self, n) for n in names} | {"text": self.text, "bibtex": self.bibtex}

    def __str__(self):
        return "\n\n".join([self.text, *self.advice])


def citations_of(observations, *, light_curves=False):
    """Return what to acknowledge and to cite for observations.

    Parameters
    ----------
    observations : iterable of dict
        Rows of the archive; with ``doi``, if the header of a file gives one.
    light_curves : bool
        Whether lightkurve read some of it.

    Returns
    -------
    citations : Citations
        Missions in alphabetical order, programs by number.
    """
    rows = _distinct(observations)
    missions = sorted({mission for row in rows for mission in _missions(row)})
    paragraphs = [text for mission in missions if (text := _of_mission(mission, rows))]
    collections = sorted(
        {
            str(row["provenance_name"])
            for row in rows
            if row.get("obs_collection") == "HLSP" and row.get("provenance_name")
        }
    )
    if collections:
        paragraphs.append(credits.HLSP.format(names=", ".join(collections)))
    if not paragraphs or collections:
        paragraphs.append(credits.ARCHIVE)
    dois = sorted({doi for row in rows if (doi := _doi(row))})
    if dois:
        links = ", ".join(f"https://doi.org/{doi}" for doi in dois)
        paragraphs.append(
            f"The data described here may be obtained from the MAST archive at {links}."
        )
    paragraphs.append(credits.SOFTWARE_TEXT.format(version=_version("jdaviz-mast")))
    if light_curves:
        paragraphs.append(
            "This research made use of Lightkurve, a Python package for Kepler and TESS data "
            "analysis (Lightkurve Collaboration, 2018)."
        )
    advice = []
    without = [row["obs_id"] for row in rows if not _doi(row) and row.get("obs_id")]
    if without:
        noun = "this observation" if len(without) == 1 else f"these {len(without):,} observations"
        advice.append(
            "MAST asks for a DOI of exactly the data that a paper is based on: make one for "
            f"{noun} at {_DOI_PORTAL}, and cite it where the data are described. "
            + ", ".join(without[:_MOST_NAMED])
            + " …" * (len(without) > _MOST_NAMED)
        )
    return Citations(
        list(dict.fromkeys(paragraphs)), _facilities(rows), dois,
        _entries(rows, missions, dois, light_curves), advice,
    )  # fmt: skip


def _doi(row):
    return row.get("doi") or collection_doi(row)


def _distinct(observations):
    rows = {}
    for row in observations:
        rows.setdefault((str(row.get("obsid")), row.get("obs_id")), row)
    return [row for row in rows.values() if any(v is not None for v in row.values())]


def _missions(row):
    """Return the missions whose data an observation has; of a team's product that of its data."""
    collection = row.get("obs_collection")
    if collection != "HLSP":
        return [collection] if collection else []
    project = str(row.get("project") or "")
    known = {name.lower(): name for name in (*credits.ACKNOWLEDGEMENTS, *credits.NAMES_OF_LEGACY)}
    return [known[project.lower()]] if project.lower() in known else []


def _of_mission(mission, rows):
    if mission in credits.ACKNOWLEDGEMENTS:
        programs = ", ".join(_programs(rows, mission))
        text = credits.ACKNOWLEDGEMENTS[mission]
        if not programs:
            text = text.partition(" These observations are associated")[0]
        noun = "programs" if "," in programs else "program"
        return text.replace("program(s)", noun).replace("{programs}", programs)
    if mission in credits.NAMES_OF_LEGACY:
        return credits.LEGACY.format(mission=credits.NAMES_OF_LEGACY[mission])
    return credits.ARCHIVE


def _programs(rows, mission):
    numbers = {str(row["proposal_id"]) for row in rows
               if mission in _missions(row) and row.get("proposal_id")}  # fmt: skip
    return sorted(numbers, key=lambda text: (len(text), text))


def _facilities(rows):
    instruments = {}
    for row in rows:
        for mission in _missions(row):
            name = str(row.get("instrument_name") or "").partition("/")[0]
            instruments.setdefault(mission, set()).update({name} - {"", "Photometer", mission})
    named = [
        f"{mission} ({', '.join(sorted(names))})" if names else mission
        for mission, names in sorted(instruments.items())
    ]
    return [*named, "MAST"]


def _entries(rows, missions, dois, light_curves):
    entries = [_data_entry(doi, rows) for doi in dois]
    entries += [_proposal_entry(row) for row in _one_a_program(rows)]
    entries += [credits.MISSION_PAPERS[m] for m in missions if m in credits.MISSION_PAPERS]
    makers = sorted({row.get("provenance_name") or "" for row in rows})
    entries += [credits.PIPELINE_PAPERS[m] for m in makers if m in credits.PIPELINE_PAPERS]
    jdaviz = _version("jdaviz")
    entries.append(credits.SOFTWARE["jdaviz"].format(version=jdaviz))
    entries += [credits.SOFTWARE["astropy:2013"], credits.SOFTWARE["astropy:2018"]]
    entries += [module.__bibtex__.strip() for module in (astropy, astroquery) if module.__bibtex__]
    if light_curves:
        entries.append(credits.SOFTWARE["lightkurve"])
    return list(dict.fromkeys(entries))


def _data_entry(doi, rows):
    names = {row.get("provenance_name") for row in rows if _doi(row) == doi} - {None}
    missions = {row.get("project") or row.get("obs_collection") for row in rows
                if _doi(row) == doi} - {None}  # fmt: skip
    title = " ".join([*sorted(missions), *sorted(names - missions), "data"])
    return (
        f"@MISC{{mast:{_key(doi.partition('/')[2])},\n  author = {{{{MAST Team}}}},\n"
        f'  title = "{{{_escape(title)}}}",\n  publisher = {{STScI/MAST}},\n  doi = {{{doi}}},\n'
        f"  url = {{https://doi.org/{doi}}}\n}}"
    )


def _one_a_program(rows):
    programs = {}
    for row in rows:
        if row.get("obs_collection") in _PROPOSALS and row.get("proposal_id"):
            programs.setdefault((row["obs_collection"], str(row["proposal_id"])), row)
    return [programs[key] for key in sorted(programs)]


def _proposal_entry(row):
    mission, number = row["obs_collection"], str(row["proposal_id"])
    lines = [
        f"@MISC{{{mission.lower()}.prop.{_key(number)},",
        f"  author = {{{_escape(row.get('proposal_pi') or 'unknown')}}},",
        f'  title = "{{{_escape(row.get("obs_title") or "untitled")}}}",',
        f"  howpublished = {{{_PROPOSALS[mission]}. ID {_escape(number)}}}",
        "}",
    ]
    return "\n".join(lines)


def _key(text):
    return re.sub(r"[^A-Za-z0-9.-]", "", text)


def _escape(text):
    """Return a text of the archive as LaTeX prints it, in one line."""
    line = " ".join(str(text).split())
    # A quotation mark would end a title that stands between two of them.
    return "".join(_SPECIAL.get(c, "''" if c == '"' else c) for c in line if c.isprintable())


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
