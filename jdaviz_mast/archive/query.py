"""What a user may ask: input checked once, at the boundary, into a `Query` with units."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.time import Time

from jdaviz_mast.archive.checks import (
    MISSIONS,
    check_choices,
    check_instruments,
    check_missions,
    check_observation_ids,
    check_position,
    check_program_ids,
    check_radius,
    check_targets,
    is_position,
    patterns,
)
from jdaviz_mast.archive.datasets import collection_filters, observation_names, plain_doi
from jdaviz_mast.archive.ranges import (
    BEYOND_DATES,
    BEYOND_WAVELENGTHS,
    check_dates,
    check_exposure_time,
    check_wavelength,
    overlap,
)
from jdaviz_mast.errors import InvalidInput

__all__ = ["ALL_LEVELS", "COMBINED_LEVEL", "DATA_TYPES", "MISSIONS", "RIGHTS", "Query"]

#: The calibration level that is shown unless all are asked for: combined images, mosaics.
COMBINED_LEVEL = 3
#: What teams and pipelines other than the mission's contribute is at level 4.
CONTRIBUTED_LEVEL = 4
#: Every level that has files. Level -1 is planned and has none.
ALL_LEVELS = (0, 1, 2, 3, 4)
#: MAST's ``dataproduct_type`` (https://mast.stsci.edu/api/v0/_c_a_o_mfields.html).
DATA_TYPES = ("image", "spectrum", "cube", "timeseries", "sed", "visibility", "eventlist",
              "catalog", "measurements")  # fmt: skip
#: MAST's ``dataRights``.
RIGHTS = ("PUBLIC", "EXCLUSIVE_ACCESS", "RESTRICTED")

#: Cones wider than this, and searches without a subject, are counted before they are made.
_WIDE = 1 * u.deg


@dataclass(frozen=True)
class Query:
    """One checked question to the archive.

    Build it with `Query.create`. Exactly one of ``targets``, ``coordinates``,
    ``observation_ids``, ``program_ids`` and ``datasets`` is set, unless the filters alone say
    enough.

    Attributes
    ----------
    targets : tuple of str
        Names for the name resolver.
    coordinates : `~astropy.coordinates.SkyCoord` or None
        ICRS position, scalar.
    radius : `~astropy.units.Quantity`
        Radius of the cone around target or coordinates, an angle.
    observation_ids, program_ids, datasets : tuple of str
    missions, instruments, filters, data_types, rights, authors : tuple of str
        Values that the archive's columns may have; empty for any.
    wavelength, exposure_time : tuple of `~astropy.units.Quantity`, or None
        Ends of a range, in nm and s.
    dates : tuple of `~astropy.time.Time`, or None
        Ends of a range.
    doi : str or None
        Of a collection.
    keywords : tuple of tuple of str
        Keywords of JWST's and their conditions.
    all_levels : bool
        Whether levels below the combined one are wanted too.
    """

    targets: tuple[str, ...] = ()
    coordinates: SkyCoord | None = None
    radius: u.Quantity = 0.1 * u.deg
    observation_ids: tuple[str, ...] = ()
    program_ids: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    missions: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    data_types: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    wavelength: tuple[u.Quantity, u.Quantity] | None = None
    dates: tuple[Time, Time] | None = None
    exposure_time: tuple[u.Quantity, u.Quantity] | None = None
    doi: str | None = None
    keywords: tuple[tuple[str, str], ...] = ()
    all_levels: bool = False

    @classmethod
    def create(
        cls,
        target=None,
        *,
        coordinates=None,
        radius=0.1 * u.deg,
        observation_id=None,
        program_id=None,
        dataset_id=None,
        mission=None,
        instrument=None,
        filters=None,
        wavelength=None,
        date=None,
        exposure_time=None,
        data_type=None,
        rights=None,
        author=None,
        doi=None,
        keywords=None,
        all_levels=False,
    ):
        """Check what a user gave and return a `Query`.

        The arguments are those of `jdaviz_mast.Mast.search`.

        Raises
        ------
        InvalidInput
            Names the argument, its value and what is allowed.
        """
        subjects = {
            "target": target,
            "coordinates": coordinates,
            "observation_id": observation_id,
            "program_id": program_id,
            "dataset_id": dataset_id,
        }
        given = [name for name, value in subjects.items() if value is not None]
        if len(given) > 1:
            raise InvalidInput(" and ".join(given), "two searches at once", "give one of them")
        if not isinstance(all_levels, (bool, np.bool_)):
            raise InvalidInput("all_levels", all_levels, "give True or False")
        if isinstance(target, str) and is_position(target):
            target, coordinates = None, target  # who types a position means it
        enough = (instrument, filters, author, doi, keywords)
        if not given and all(value is None for value in enough):
            raise InvalidInput(
                "search", None,
                f"give one of {', '.join(subjects)}, or an instrument, filters, an author, a DOI "
                "or keywords",
            )  # fmt: skip
        targets = () if target is None else check_targets(target)
        for name in targets:
            if is_position(name):
                check_position(name)
        doi = None if doi is None else plain_doi(doi)
        if doi:
            collection_filters(doi)  # refuses those that it does not know
        return cls(
            targets=targets,
            coordinates=None if coordinates is None else check_position(coordinates),
            radius=check_radius(radius),
            observation_ids=check_observation_ids(observation_id),
            program_ids=check_program_ids(program_id),
            datasets=check_observation_ids(dataset_id, "dataset_id"),
            missions=check_missions(mission),
            instruments=check_instruments(instrument),
            filters=patterns("filters", filters),
            data_types=check_choices("data_type", data_type, DATA_TYPES),
            rights=_rights(rights),
            authors=patterns("author", author),
            wavelength=check_wavelength(wavelength),
            dates=check_dates(date),
            exposure_time=check_exposure_time(exposure_time),
            doi=doi,
            keywords=_keywords(keywords),
            # Whoever names a data set means it, at whichever level it is.
            all_levels=bool(all_levels) or dataset_id is not None,
        )

    @property
    def target(self):
        """The name to resolve, if it is one."""
        return self.targets[0] if len(self.targets) == 1 else None

    @property
    def levels(self):
        """The calibration levels that are wanted.

        Who names an author, the DOI of a collection, or HLSP (High-Level Science Products, which
        teams contribute), wants what was contributed, too.
        """
        if self.all_levels:
            return ALL_LEVELS
        named = self.authors or self.doi or "HLSP" in self.missions
        contributed = (CONTRIBUTED_LEVEL,) if named else ()
        return (COMBINED_LEVEL, *contributed)

    @property
    def is_heavy(self):
        """Whether the archive had better be asked how much it is, first."""
        if self.targets or self.coordinates is not None:
            return self.radius > _WIDE
        return not (self.observation_ids or self.program_ids or self.datasets)

    def each(self):
        """Return one query a target; the query itself if there are not several."""
        if len(self.targets) < 2:
            return [self]
        alone = []
        for target in self.targets:
            if is_position(target):
                about = {"targets": (), "coordinates": check_position(target)}
            else:
                about = {"targets": (target,)}
            alone.append(dataclasses.replace(self, **about))
        return alone

    def criteria(self):
        """Return the query as MAST's column filters.

        Returns
        -------
        criteria : dict of str to list
            Column to the values that it may have, or to the two ends of a range. A row has to
            match all columns; one whose column is empty does not match.
        """
        names = [name for dataset in self.datasets for name in observation_names(dataset)]
        columns = {
            "obs_id": self.observation_ids or tuple(names),
            "proposal_id": self.program_ids,
            "obs_collection": self.missions,
            "instrument_name": self.instruments,
            "filters": self.filters,
            "dataproduct_type": self.data_types,
            "dataRights": self.rights,
            "provenance_name": self.authors,
            "calib_level": tuple(str(level) for level in self.levels),
        }
        criteria = {name: list(values) for name, values in columns.items() if values}
        if self.wavelength:
            low, high = (end.to_value(u.nm) for end in self.wavelength)
            criteria |= overlap("em_min", "em_max", low, high, BEYOND_WAVELENGTHS)
        if self.dates:
            low, high = (end.utc.mjd for end in self.dates)
            criteria |= overlap("t_min", "t_max", low, high, BEYOND_DATES)
        if self.exposure_time:
            criteria["t_exptime"] = [end.to_value(u.s) for end in self.exposure_time]
        if self.doi:
            for name, values in collection_filters(self.doi).items():
                criteria[name] = _both(name, criteria.get(name), values)
        return criteria

    def describe(self):
        """Return the query in a few words, for messages."""
        if len(self.targets) > 1:
            return f"{len(self.targets)} targets within {_plain(self.radius)}"
        if self.target:
            return f"“{self.target}” within {_plain(self.radius)}"
        if self.coordinates is not None:
            position = f"{self.coordinates.ra.deg:.5f} {self.coordinates.dec.deg:+.5f}"
            return f"RA Dec {position} within {_plain(self.radius)}"
        if self.observation_ids:
            return f"observation {', '.join(self.observation_ids)}"
        if self.program_ids:
            return f"program {', '.join(self.program_ids)}"
        if self.datasets:
            return f"data set {', '.join(self.datasets)}"
        keywords = tuple(f"{name} {condition}" for name, condition in self.keywords)
        doi = (f"DOI {self.doi}",) if self.doi else ()
        return ", ".join(self.instruments + self.filters + self.authors + doi + keywords)


def _plain(angle):
    return f"{angle.value:g} {angle.unit.to_string()}"


def _rights(value):
    short = {"exclusive": "EXCLUSIVE_ACCESS"}
    if isinstance(value, str):
        value = short.get(value.strip().lower(), value)
    return check_choices("rights", value, RIGHTS)


def _keywords(value):
    if value is None:
        return ()
    allowed = "give pairs such as {'exp_type': 'NRC_IMAGE', 'tsovisit': 'T'}"
    if not isinstance(value, Mapping) or not value:
        raise InvalidInput("keywords", value, allowed)
    pairs = []
    for name, condition in value.items():
        several = isinstance(condition, (list, tuple, set, np.ndarray))
        if isinstance(condition, u.Quantity):
            allowed = "give numbers in the unit that the keyword's description says"
            raise InvalidInput("keywords", {name: str(condition)}, allowed)
        text = ",".join(str(item).strip() for item in (condition if several else [condition]))
        if not str(name).strip() or condition is None or not text.strip():
            raise InvalidInput("keywords", {name: condition}, allowed)
        pairs.append((str(name).strip(), text.strip()))
    names = [name.lower() for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        given = [name for name, _ in pairs if name.lower() == twice]
        allowed = "it is the same keyword twice; give it once, of several values with commas"
        raise InvalidInput("keywords", ", ".join(given), allowed)
    return tuple(pairs)


def _both(column, asked, of_collection):
    """Return what fulfils what was asked for of a column and what a collection is."""
    if not asked:
        return of_collection
    if all(isinstance(end, float) for end in of_collection):
        low, high = max(asked[0], of_collection[0]), min(asked[1], of_collection[1])
        if low > high:
            raise InvalidInput("doi", f"{asked} s", "the collection has another exposure time")
        return [low, high]
    both = [item for item in of_collection if item.lower() in {a.lower() for a in asked}]
    if not both:
        raise InvalidInput(
            "doi", ", ".join(asked), f"the collection has the {column} {of_collection[0]}"
        )
    return both
