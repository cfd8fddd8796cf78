"""What the embedded archive holds: observation rows, product rows, and a recipe per file."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import sizes
from .fields import OBSERVATION_FIELDS, PRODUCT_FIELDS, load_data
from .footprint import rectangle, sub_region

__all__ = ["Recipe", "build", "observation_row", "product_row"]

_FIRST_OBSID = 87610001
_VERSION = "1.18.0"
_VISIT_STAMP = "20260701t120000"
_GUIDE_STAMP = "2022163000000"


@dataclass(frozen=True)
class Recipe:
    """All that is needed to make one file.

    Attributes
    ----------
    kind : str
        Key of the writer, such as ``"i2d"``.
    filename : str
        Name of the file.
    row : dict
        Observation row the file belongs to.
    boxes : tuple
        Exposed parts of a combined image: (x0, y0, x1, y1) as fractions of its sides.
    members : tuple of str
        Names of the exposures a combined product was made of.
    level : int
        Calibration level.
    """

    kind: str
    filename: str
    row: dict = field(repr=False)
    boxes: tuple = ()
    members: tuple = ()
    level: int = 3

    @property
    def uri(self):
        """The ``mast:`` URI of the file."""
        return f"mast:{self.row['obs_collection']}/product/{self.filename}"

    @property
    def size(self):
        """Size of the file in bytes, known without making it."""
        return sizes.size_of(self)


def observation_row(**values):
    """Make an observation row in MAST's column order; columns not given are null."""
    unknown = set(values) - set(OBSERVATION_FIELDS)
    if unknown:
        raise ValueError(f"not a column of an observation: {sorted(unknown)[0]}")
    return {name: values.get(name) for name in OBSERVATION_FIELDS}


def product_row(recipe, description, product_type, group, subgroup, *, parent=None):
    """Make the product row of `recipe` as listed for the observation `parent`."""
    row, parent = recipe.row, parent or recipe.row
    values = {
        "obsID": row["obsid"],
        "obs_collection": row["obs_collection"],
        "dataproduct_type": row["dataproduct_type"],
        "obs_id": row["obs_id"],
        "description": description,
        # D: combined ("derived"), S: simple.
        "type": "D" if row["calib_level"] >= 3 and row["obs_collection"] != "TESS" else "S",
        "dataURI": recipe.uri,
        "productType": product_type,
        "productGroupDescription": group,
        "productSubGroupDescription": subgroup,
        "productDocumentationURL": None,
        "project": row["provenance_name"],
        "prvversion": _VERSION if row["obs_collection"] == "JWST" else None,
        "proposal_id": row["proposal_id"],
        "productFilename": recipe.filename,
        "size": recipe.size,
        "parent_obsid": parent["obsid"],
        "dataRights": row["dataRights"],
        "calib_level": recipe.level,
        "filters": row["filters"],
    }
    return {name: values[name] for name in PRODUCT_FIELDS}


def build():
    """Build everything the archive holds.

    Returns
    -------
    observations, products : list of dict
    recipes : dict
        URI to `Recipe`.
    """
    return _Builder().build()


class _Builder:
    def __init__(self):
        self.kinds = load_data("product_kinds.json")
        self.programs = load_data("programs.json")
        self.known_exposures = load_data("exposures_f1130w.json")
        self.observations, self.products, self.recipes = [], [], {}
        self._hst_exposures = {}
        self._next_obsid = _FIRST_OBSID

    def build(self):
        combined = [observation_row(**row) for row in load_data("program_2733.json")]
        combined += [self._complete(dict(row)) for row in self.programs["observations"]]
        self.observations += combined
        for row in combined:
            if row["obs_collection"] == "JWST" and row["calib_level"] == 3:
                self._jwst(row)
            elif row["obs_collection"] == "HST":
                self._hst(row)
            elif row["obs_collection"] == "TESS":
                self._list(row, row, [("lc", "lc.fits", 3), ("tp", "tp.fits", 2)])
        self._raw_exposure(combined[5])
        return self.observations, self.products, self.recipes

    def _complete(self, values):
        """Fill in the defaults of a row of programs.json and what follows from it."""
        if names := values.pop("exposure_names", None):
            self._hst_exposures[values["obs_id"]] = names
        values = self.programs["defaults"] | values
        if sides := values.pop("footprint", None):
            values["s_region"] = rectangle(values["s_ra"], values["s_dec"], *sides)
        values |= {"wave_min": values["em_min"], "wave_max": values["em_max"]}
        main = {"image": "i2d", "cube": "s3d", "spectrum": "x1d", "timeseries": "lc"}
        if values["obs_collection"] == "HST":
            main |= {"image": "drc", "spectrum": "x1dsum"}
        elif values["obs_collection"] == "JWST":
            main |= {"timeseries": "x1dints"}
        suffix = main.get(values["dataproduct_type"])
        if suffix:
            uri = f"mast:{values['obs_collection']}/product/{values['obs_id']}_{suffix}"
            values.setdefault("dataURL", f"{uri}.fits")
            values.setdefault("jpegURL", f"{uri}.jpg" if suffix != "lc" else None)
        return observation_row(**values)

    # -- JWST ----------------------------------------------------------------

    def _jwst(self, row):
        pattern = self.programs["exposures"][row["obs_id"]]
        exposures = list(self._exposures(row, pattern))
        boxes = tuple(box for _, box in exposures)
        members = tuple(exposure["obs_id"] for exposure, _ in exposures)
        program = row["obs_id"][:7]
        association = f"{row['obs_id'].split('_')[0]}_{_VISIT_STAMP}"
        stage = {"image": "image3", "timeseries": "tso3"}.get(row["dataproduct_type"], "spec3")
        number = 1 + int(row["obsid"]) % 900
        main = {
            "image": [("i2d", "i2d.fits"), ("segm", "segm.fits"), ("cat", "cat.ecsv")],
            "cube": [("s3d", "s3d.fits"), ("x1d", "x1d.fits")],
            "spectrum": [("s2d", "s2d.fits"), ("x1d", "x1d.fits")],
            "timeseries": [("x1dints", "x1dints.fits"), ("whtlt", "whtlt.ecsv")],
        }[row["dataproduct_type"]]
        preview = main[0][1].removesuffix(".fits")
        files = [(kind, suffix, 3) for kind, suffix in main]
        files += [("jpg", f"{preview}.jpg", 3), ("thumb", f"{preview}_thumb.jpg", 3)]
        self._list(row, row, files, boxes=boxes, members=members)
        name = f"{association}_{stage}_{number:05}_asn.json"
        self._add(row, row, "asn", name, 3, members=members)
        self._add(row, row, "pool", f"{program}_{_VISIT_STAMP}_pool.csv", 3, members=members)
        for exposure, _ in exposures:
            for parent in (exposure, row):
                self._exposure_files(exposure, parent)

    def _exposures(self, row, pattern):
        """Exposure rows of a combined observation and the part of it each covers."""
        detectors, dithers = pattern["detectors"], pattern["dithers"]
        visits = pattern["visits"]
        count = len(visits) * dithers
        for number in range(count):
            visit, dither = visits[number // dithers], number % dithers + 1
            for index, detector in enumerate(detectors):
                box = _box(detector, index, number // dithers, dither)
                name = f"{visit}_{pattern['group']}_{dither:05}_{detector}"
                exposure = self._exposure(row, name, box, number / count, count)
                self.observations.append(exposure)
                yield exposure, box

    def _exposure(self, row, name, box, done, count):
        ra, dec, region = sub_region(row["s_region"], box)
        obsid = self.known_exposures.get(name)
        if obsid is None:
            obsid, self._next_obsid = str(self._next_obsid), self._next_obsid + 1
        begin = row["t_min"] + done * (row["t_max"] - row["t_min"])
        seconds = row["t_exptime"] / count
        uri = f"mast:JWST/product/{name}_cal"
        return row | {
            "obs_id": name,
            "s_ra": ra,
            "s_dec": dec,
            "calib_level": 2,
            "t_min": begin,
            "t_max": begin + seconds / 86400,
            "t_exptime": seconds,
            "s_region": region,
            "jpegURL": f"{uri}.jpg",
            "dataURL": f"{uri}.fits",
            "obsid": obsid,
            "objID": str(1059300000 + int(obsid) % 100000),
        }

    def _exposure_files(self, exposure, parent):
        # Cosmic rays are flagged within the observation's association.
        association = f"o{exposure['obs_id'][7:10]}"
        files = [("uncal", "uncal.fits", 1), ("rate", "rate.fits", 2)]
        if exposure["dataproduct_type"] == "image":
            files += [
                ("rateints", "rateints.fits", 2),
                ("cal", "cal.fits", 2),
                ("crf", f"{association}_crf.fits", 2),
                ("i2d", "i2d.fits", 2),
            ]
        elif exposure["dataproduct_type"] == "cube":
            files += [("s3d", "s3d.fits", 2), ("x1d", "x1d.fits", 2)]
        elif exposure["dataproduct_type"] == "timeseries":
            files += [("rateints", "rateints.fits", 2), ("calints", "calints.fits", 2)]
            files += [("x1dints", "x1dints.fits", 2)]
        else:
            files += [("s2d", "s2d.fits", 2), ("x1d", "x1d.fits", 2)]
        if "nrc" in exposure["obs_id"]:
            files.append(("trapsfilled", "trapsfilled.fits", 2))
        files += [("jpg", "rate.jpg", 2), ("thumb", "rate_thumb.jpg", 2)]
        self._list(exposure, parent, files)
        visit = exposure["obs_id"][:13]
        for kind, middle in (
            ("gs-id", "gs-id_1_image"),
            ("gs-acq1", f"gs-acq1_{_GUIDE_STAMP}"),
            ("gs-fg", f"gs-fg_{_GUIDE_STAMP}"),
        ):
            self._add(exposure, parent, kind, f"{visit}_{middle}_cal.fits", 2)

    def _raw_exposure(self, row):
        """Add an exposure that has only raw data, as MAST lists one that failed later on."""
        name = row["obs_id"].split("_")[0][:7] + "001001_02105_00009_nrcb1"
        box = _box("nrcb1", 0, 0, 1)
        exposure = self._exposure(row, name, box, 1.0, 8) | {
            "calib_level": 1,
            "dataURL": f"mast:JWST/product/{name}_uncal.fits",
            "jpegURL": None,
        }
        self.observations.append(exposure)
        self._list(exposure, exposure, [("uncal", "uncal.fits", 1)])

    # -- HST -----------------------------------------------------------------

    def _hst(self, row):
        if row["dataproduct_type"] == "spectrum":
            combined, main = [("hst-x1dsum", "x1dsum.fits", 3)], "x1dsum"
            files = [("hst-x1d", "x1d.fits", 2)]
        else:
            combined, main = [("drz", "drz.fits", 3), ("drc", "drc.fits", 3)], "drc"
            files = [("raw", "raw.fits", 1), ("flt", "flt.fits", 2), ("flc", "flc.fits", 2)]
        combined += [("hst-asn", "asn.fits", 3), ("hst-jpg", f"{main}.jpg", 3)]
        self._list(row, row, combined)
        names = self._hst_exposures[row["obs_id"]]
        for number, name in enumerate(names):
            obsid, self._next_obsid = str(self._next_obsid), self._next_obsid + 1
            seconds = row["t_exptime"] / len(names)
            begin = row["t_min"] + number * (row["t_max"] - row["t_min"]) / len(names)
            exposure = row | {
                "obs_id": name,
                "obsid": obsid,
                "objID": str(81900000 + number + int(row["obsid"]) % 1000),
                "calib_level": 2,
                "t_min": begin,
                "t_max": begin + seconds / 86400,
                "t_exptime": seconds,
                "dataURL": f"mast:HST/product/{name}_{files[-1][1]}",
                "jpegURL": None,
            }
            self.observations.append(exposure)
            for parent in (exposure, row):
                self._list(exposure, parent, files)

    # -- products ------------------------------------------------------------

    def _list(self, row, parent, files, **details):
        for kind, suffix, level in files:
            self._add(row, parent, kind, f"{row['obs_id']}_{suffix}", level, **details)

    def _add(self, row, parent, kind, filename, level, **details):
        uri = f"mast:{row['obs_collection']}/product/{filename}"
        recipe = self.recipes.get(uri)
        if recipe is None:
            recipe = self.recipes[uri] = Recipe(kind, filename, row, level=level, **details)
        _, product_type, group, subgroup, description = self.kinds[kind]
        listed = Recipe(kind, filename, row, recipe.boxes, recipe.members, level)
        self.products.append(
            product_row(listed, description, product_type, group, subgroup, parent=parent)
        )


def _box(detector, index, visit, dither):
    """Part of the combined image that one exposure covers, as fractions of its sides."""
    # A small ring of dithers, the same for every detector.
    shift_x = 0.03 * ((dither * 3) % 8 / 3.5 - 1)
    shift_y = 0.03 * ((dither * 5) % 8 / 3.5 - 1)
    if detector.startswith("nrs"):
        return 0.0, 0.0, 1.0, 1.0
    if detector == "mirimage":
        x0, y0, width, height = 0.04 + 0.12 * visit, 0.04 + 0.3 * visit, 0.8, 0.62
    elif detector.endswith("long"):
        x0, y0, width, height = 0.04, 0.04, 0.92, 0.92
    else:
        # The gap between the chips is narrower than the dithers.
        x0, y0, width, height = 0.04 + 0.47 * (index % 2), 0.04 + 0.47 * (index // 2), 0.45, 0.45
    return x0 + shift_x, y0 + shift_y, x0 + shift_x + width, y0 + shift_y + height
