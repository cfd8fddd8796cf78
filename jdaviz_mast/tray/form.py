"""What the search fields of the tray say, and what a person is told about them."""

from dataclasses import dataclass, field

import astropy.units as u

from jdaviz_mast.archive import MISSIONS
from jdaviz_mast.archive.datasets import is_doi
from jdaviz_mast.errors import InvalidInput, MastError
from jdaviz_mast.tray.words import counted

__all__ = ["ANY", "MISSION_CHOICES", "SEARCHES", "UNITS", "SearchForm", "filter_arguments",
           "filter_in_words", "levels_in_words", "sentence"]  # fmt: skip

TARGET, COORDINATES, OBSERVATION, PROGRAM, DATASET = SEARCHES = (
    "Target name",
    "Coordinates",
    "Observation ID",
    "Program ID",
    "DOI or data set",
)
UNITS = ("deg", "arcmin", "arcsec")
ANY = "Any"
MISSION_CHOICES = (ANY, *MISSIONS)

_ARGUMENTS = {TARGET: "target", COORDINATES: "coordinates",
              OBSERVATION: "observation_id", PROGRAM: "program_id",
              DATASET: "dataset_id"}  # fmt: skip
#: What the fields are called on the page.
_LABELS = {"dataset_id": "Data set", "doi": "DOI", "instrument": "Instrument",
           "filters": "Filter", "wavelength": "Wavelength", "date": "Date",
           "exposure_time": "Exposure", "data_type": "Type", "rights": "Rights",
           "author": "Author", "keywords": "Keyword", "target": "Target", "ra": "RA",
           "dec": "Dec", "coordinates": "RA and Dec",
           "radius": "Radius", "observation_id": "Observation ID", "program_id": "Program ID",
           "mission": "Mission", "extensions": "Extensions",
           "max_images": "Open at most"}  # fmt: skip


@dataclass(frozen=True)
class SearchForm:
    """The fields at the moment of a search, unchecked.

    Attributes
    ----------
    by : str
        One of `SEARCHES`.
    subject : object
        What that search is for; for coordinates, a pair.
    radius : float, str or `~astropy.units.Quantity`
    unit, mission : str
    all_levels : bool
    more : dict
        Fields of the fold “More filters”; empty for none.
    """

    by: str
    subject: object
    radius: object
    unit: str
    mission: str
    all_levels: bool
    more: dict = field(default_factory=dict)

    @property
    def has_radius(self):
        """Whether this search is around a position."""
        return self.by in (TARGET, COORDINATES)

    def arguments(self):
        """Return the arguments for `jdaviz_mast.Mast.search`.

        Raises
        ------
        InvalidInput
            If the radius is no number; the rest is checked by the search.
        """
        subject = {self._argument: self.subject} if self._has_subject else {}
        given = subject | {"all_levels": self.all_levels} | self.filters
        if self.has_radius and subject:
            given["radius"] = _quantity(self.radius, self.unit)
        if self.mission != ANY:
            given["mission"] = self.mission
        return given

    @property
    def filters(self):
        """Arguments that the fold “More filters” stands for."""
        return filter_arguments(self.more) if self.more else {}

    @property
    def _argument(self):
        return "doi" if self.by == DATASET and is_doi(self.subject) else _ARGUMENTS[self.by]

    @property
    def _has_subject(self):
        """Whether there is a subject; without one, filters may say enough."""
        if self.by == COORDINATES:
            return bool("".join(map(str, self.subject)).strip()) or not self._says_enough
        return bool(str(self.subject).strip()) or not self._says_enough

    @property
    def _says_enough(self):
        return bool({"instrument", "filters", "author", "keywords"} & set(self.filters))

    @property
    def _levels(self):
        every = self.all_levels or self._argument == "dataset_id"
        return levels_in_words(every, self._argument == "doi" or "author" in self.filters)

    def in_words(self):
        """Return what is asked, to stand over the answer."""
        parts = []
        if self._has_subject:
            what = " ".join(map(str, self.subject if self.by == COORDINATES else [self.subject]))
            if self.by == PROGRAM:
                what = f"program {what}"
            if self.has_radius:
                what += f" within {self.radius} {self.unit}"
            parts.append(what)
        if self.mission != ANY:
            parts.append(self.mission)
        parts += map(filter_in_words, self.filters.items())
        return ", ".join([*parts, self._levels or "all levels"])

    def found(self, count):
        """Return what to say of that many observations."""
        if count:
            level = f" at {self._levels}" if self._levels else ""
            return f"{counted(count, 'observation')}{level}. Select rows and press Import Selected."
        if self._levels:
            hint = "There may be data at other levels: switch on “Show all calibration levels”."
        elif self.filters:
            hint = "Try again with fewer filters."
        elif self.has_radius:
            hint = "Try a larger radius or another mission."
        else:
            hint = "Check the ID."
        return f"MAST holds nothing for {self.in_words()}. {hint}"


def filter_arguments(fields):
    """Return the arguments for `jdaviz_mast.Mast.search` that some fields stand for.

    Parameters
    ----------
    fields : dict
        As `jdaviz_mast.tray.more_filters.MoreFilters.fields` returns it.

    Raises
    ------
    InvalidInput
        If a wavelength is no number; the rest is checked by the search.
    """
    text = {name: str(value).strip() for name, value in fields.items() if name != "keywords"}
    given = {name: text[name] for name in ("instrument", "filters", "author")}
    given |= {name: text[name].replace(ANY, "") for name in ("data_type", "rights")}
    given = {name: value for name, value in given.items() if value}
    unit = text["wavelength_unit"]
    ends = [text["wavelength_from"], text["wavelength_to"]]
    if any(ends):
        given["wavelength"] = tuple(_with_unit(end, unit) for end in ends)
    for argument, begin, end in (
        ("date", "date_from", "date_to"),
        ("exposure_time", "exposure_from", "exposure_to"),
    ):
        if text[begin] or text[end]:
            given[argument] = (text[begin] or None, text[end] or None)
    if fields["keywords"]:
        conditions, spelled = {}, {}
        for pair in fields["keywords"]:
            # The same keyword twice, in whichever case: either value.
            name = spelled.setdefault(pair["name"].lower(), pair["name"])
            conditions.setdefault(name, []).append(str(pair["value"]).strip())
        given["keywords"] = {name: ",".join(values) for name, values in conditions.items()}
    return given


def _with_unit(number, unit):
    if not number:
        return None
    try:
        float(number)
    except ValueError as error:
        raise InvalidInput("wavelength", number, f"give a number of {unit}") from error
    return f"{number} {unit}"


def levels_in_words(every, contributed):
    """Return which calibration levels a search is about; nothing if about every."""
    if every:
        return ""
    return "levels 3 and 4" if contributed else "level 3"


def filter_in_words(pair):
    """Return a filter, the name of an argument and its value, in words."""
    name, value = pair
    if name == "keywords":
        return ", ".join(f"{keyword} {condition}" for keyword, condition in value.items())
    if not isinstance(value, tuple):
        return str(value)
    unit = " s" if name == "exposure_time" else ""
    low, high = (f"{end}{unit}" if end else "" for end in value)
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}"


def sentence(error):
    """Return what to tell a person about an error."""
    if isinstance(error, InvalidInput) and error.field in _LABELS:
        return error.for_person(_LABELS[error.field])
    if isinstance(error, MastError):
        return str(error)
    return f"Something unexpected went wrong: {type(error).__name__}: {error}"


def _quantity(value, unit):
    if isinstance(value, u.Quantity):
        return value
    try:
        return float(value) * u.Unit(unit)
    except (TypeError, ValueError) as error:
        raise InvalidInput("radius", value, f"give a number of {unit}") from error
