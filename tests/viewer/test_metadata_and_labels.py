"""What a layer knows of its origin, and what it is called."""

import pytest

from jdaviz_mast.viewer.labels import free_label
from jdaviz_mast.viewer.metadata import layer_metadata

OBSERVATION = {
    "obs_id": "jw02733-o001_t001_nircam_clear-f090w",
    "target_name": "NGC-3132",
    "instrument_name": "NIRCAM/IMAGE",
    "filters": "F090W",
    "t_exptime": 1460.2,
    "calib_level": 3,
    "t_min": 59733.5,
    "t_max": 59733.75,
    "t_obs_release": 59773.625,
    "proposal_id": "2733",
    "proposal_pi": "Pontoppidan, Klaus M.",
    "obs_title": "JWST Early Release Observation 7",
    "wavelength_region": "INFRARED",
}


def product(name="jw02733-o001_t001_nircam_clear-f090w_i2d.fits", level=3):
    return {"productFilename": name, "calib_level": level, "obs_id": "x", "size": 1}


def test_every_column_is_kept_under_its_own_name():
    metadata = layer_metadata(OBSERVATION, product())
    for name, value in OBSERVATION.items():
        assert metadata[f"mast_{name}"] == value
    for name, value in product().items():
        assert metadata[f"mast_product_{name}"] == value


def test_typed_fields():
    metadata = layer_metadata(OBSERVATION, product())
    assert metadata["observationDate"] == "2022-06-03T12:00:00.000"
    assert metadata["targetName"] == "NGC-3132"
    assert metadata["instrument"] == "NIRCAM/IMAGE"
    assert metadata["filter"] == "F090W"
    assert metadata["exposureTime"] == 1460.2
    assert metadata["calibrationLevel"] == 3
    assert metadata["proposalId"] == "2733"
    assert metadata["proposalPi"] == "Pontoppidan, Klaus M."
    assert metadata["observationTitle"] == "JWST Early Release Observation 7"
    assert metadata["wavelengthRange"] == "INFRARED"


@pytest.mark.parametrize(
    ("missing", "date"),
    [
        ((), "2022-06-03T12:00:00.000"),
        (("t_min",), "2022-06-03T18:00:00.000"),
        (("t_min", "t_max"), "2022-07-13T15:00:00.000"),
        (("t_min", "t_max", "t_obs_release"), None),
    ],
)
def test_the_date_is_the_first_time_that_is_known(missing, date):
    observation = OBSERVATION | dict.fromkeys(missing)
    assert layer_metadata(observation, product())["observationDate"] == date


def test_an_absurd_time_is_passed_over():
    date = layer_metadata(OBSERVATION | {"t_min": 1e12}, product())["observationDate"]
    assert date == "2022-06-03T18:00:00.000"


def test_a_product_has_its_own_level():
    assert layer_metadata(OBSERVATION, product(level=2))["calibrationLevel"] == 2
    assert layer_metadata(OBSERVATION, product(level=0))["calibrationLevel"] == 0


@pytest.mark.parametrize(
    ("name", "level", "label"),
    [
        ("jw02733-o001_t001_nircam_clear-f090w_i2d.fits", 3, "NGC-3132 F090W L3"),
        ("jw02733-o001_t001_nircam_clear-f090w_segm.fits", 3, "NGC-3132 F090W L3 segm"),
        (
            "jw02733001001_02101_00001_nrca1_cal.fits",
            2,
            "NGC-3132 F090W L2 jw02733001001_02101_00001_nrca1_cal",
        ),
        ("jabc01010_drz.fits", 3, "NGC-3132 F090W L3"),
        ("odd.fits", None, "NGC-3132 F090W odd"),
    ],
)
def test_labels(name, level, label):
    assert free_label(OBSERVATION, product(name, level), ()) == label


def test_the_extension_stands_in_the_label():
    label = free_label(OBSERVATION, product(), (), "SCI,2")
    assert label == "NGC-3132 F090W L3 [SCI,2]"


def test_labels_without_target_and_filter():
    observation = OBSERVATION | {"target_name": None, "filters": None}
    assert free_label(observation, product(), ()) == "x L3"
    assert free_label({}, {"productFilename": "a_i2d.fits"}, ()) == "a_i2d"


def test_no_two_layers_have_one_label():
    labels = []
    for _ in range(4):
        labels.append(free_label(OBSERVATION, product(), labels))
    assert len(set(labels)) == 4
    assert labels[0] == "NGC-3132 F090W L3"
    assert labels[1] == "NGC-3132 F090W L3 jw02733-o001_t001_nircam_clear-f090w_i2d"
    assert labels[3].endswith("(3)")
