"""A search of the field that a viewer shows, and what a person is told about it."""

import dataclasses
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from jdaviz_mast.sky import Footprint
from jdaviz_mast.tray.form import filter_in_words, levels_in_words
from jdaviz_mast.tray.words import counted

__all__ = ["FieldSearch"]


@dataclass(frozen=True)
class FieldSearch:
    """The field at the moment of a search.

    Attributes
    ----------
    field : `~jdaviz_mast.sky.Footprint`
    viewer : str
        Its name.
    mission : str or None
    all_levels : bool
    filters : dict
        Arguments that the fold “More filters” stands for, see
        `jdaviz_mast.tray.form.filter_arguments`.
    """

    field: Footprint
    viewer: str
    mission: str | None
    all_levels: bool
    filters: dict = dataclasses.field(default_factory=dict)

    def arguments(self):
        """Return the arguments for `jdaviz_mast.Mast.search_region`."""
        given = {"region": self.field, "mission": self.mission, "all_levels": self.all_levels}
        return given | self.filters

    def in_words(self):
        """Return what is asked, to stand over the answer."""
        center = self.field.center
        place = f"{center.ra.deg:.5f} {center.dec.deg:+.5f}"
        what = f"Field of {_size(self.field.area)} at {place}, in {self.viewer}"
        parts = [what, self.mission, *map(filter_in_words, self.filters.items())]
        return ", ".join([*filter(None, parts), self._levels or "all levels"])

    @property
    def _levels(self):
        return levels_in_words(self.all_levels, "author" in self.filters)

    def found(self, observations):
        """Return what to say of the answer of `jdaviz_mast.Mast.search_region`."""
        missing = observations.meta.get("without_footprint", 0)
        left_out = (
            f" Left out: {counted(missing, 'observation')} near it without a footprint."
            if missing else ""
        )  # fmt: skip
        if not len(observations):
            hint = "Zoom out, or choose another mission."
            if not self.all_levels:
                hint = "There may be data at other levels: switch on “Show all calibration levels”."
            elif self.filters:
                hint = "Zoom out, or try again with fewer filters."
            return f"Nothing in MAST overlaps the field.{left_out} {hint}"
        parts = np.array(observations.meta["overlap"])
        whole = int(np.sum(parts > 0.995))
        said = f"{counted(len(parts), 'observation')} overlap"
        if len(parts) == 1:
            said += "s"
        said += " the field; "
        if whole:
            verb = "covers" if whole == 1 else "cover"
            said += f"{whole:,} {verb} all of it."
        else:
            said += f"the first covers {_per_cent(parts[0])} of it."
        return f"{said} Ranked by overlap, then by exposure time.{left_out}"


def _per_cent(fraction):
    return "less than 1 %" if fraction < 0.01 else f"{100 * fraction:.0f} %"


def _size(area):
    for unit, symbol in ((u.deg**2, "deg²"), (u.arcmin**2, "arcmin²")):
        if area >= 1 * unit:
            return f"{area.to_value(unit):.3g} {symbol}"
    return f"{area.to_value(u.arcsec**2):.3g} arcsec²"
