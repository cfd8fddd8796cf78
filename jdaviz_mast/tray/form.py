"""What the search fields of the tray say, and what a person is told about them."""

from dataclasses import dataclass

import astropy.units as u

from jdaviz_mast.archive import MISSIONS
from jdaviz_mast.errors import InvalidInput, MastError

__all__ = ["MISSION_CHOICES", "SEARCHES", "UNITS", "SearchForm", "sentence"]

TARGET, COORDINATES, OBSERVATION, PROGRAM = SEARCHES = (
    "Target name",
    "Coordinates",
    "Observation ID",
    "Program ID",
)
UNITS = ("deg", "arcmin", "arcsec")
ANY_MISSION = "Any"
MISSION_CHOICES = (ANY_MISSION, *MISSIONS)

_ARGUMENTS = {TARGET: "target", COORDINATES: "coordinates",
              OBSERVATION: "observation_id", PROGRAM: "program_id"}  # fmt: skip
#: What the fields are called on the page.
_LABELS = {"target": "Target", "ra": "RA", "dec": "Dec", "coordinates": "RA and Dec",
           "radius": "Radius", "observation_id": "Observation ID", "program_id": "Program ID",
           "mission": "Mission", "extensions": "Extensions"}  # fmt: skip


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
    """

    by: str
    subject: object
    radius: object
    unit: str
    mission: str
    all_levels: bool

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
        given = {_ARGUMENTS[self.by]: self.subject, "all_levels": self.all_levels}
        if self.has_radius:
            given["radius"] = _quantity(self.radius, self.unit)
        if self.mission != ANY_MISSION:
            given["mission"] = self.mission
        return given

    def in_words(self):
        """Return what is asked, to stand over the answer."""
        what = " ".join(map(str, self.subject)) if self.by == COORDINATES else str(self.subject)
        if self.by == PROGRAM:
            what = f"program {what}"
        if self.has_radius:
            what += f" within {self.radius} {self.unit}"
        if self.mission != ANY_MISSION:
            what += f", {self.mission}"
        return f"{what}, {'all levels' if self.all_levels else 'level 3'}"

    def found(self, count):
        """Return what to say of that many observations."""
        if count:
            noun = "observation" if count == 1 else "observations"
            level = "" if self.all_levels else " at level 3"
            return f"{count:,} {noun}{level}. Select rows and press Import Selected."
        if not self.all_levels:
            hint = "There may be data at other levels: switch on “Show all calibration levels”."
        elif self.has_radius:
            hint = "Try a larger radius or another mission."
        else:
            hint = "Check the ID."
        return f"MAST holds nothing for {self.in_words()}. {hint}"


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
