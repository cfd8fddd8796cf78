"""What an import will take, and what this machine has for it."""

import dataclasses

import pytest
from astropy.table import Table

from jdaviz_mast import outlook
from jdaviz_mast.errors import Cancelled, InvalidInput
from jdaviz_mast.machine import disk_free, memory_free

F770W = "jw02733-o002_t001_miri_f770w"


def test_what_is_whole_on_disk_need_not_be_fetched(mast):
    products = mast.products(F770W)
    before = mast.forecast(products)
    sizes = dict(zip(products["productFilename"], products["size"].tolist(), strict=True))
    assert before.files == before.files_to_fetch == len(products) == 3
    assert before.bytes_to_fetch == before.bytes_total == sum(sizes.values())
    mast.fetch(products[:1])
    after = mast.forecast(products)
    assert after.files_to_fetch == 2
    assert after.bytes_to_fetch == sum(sizes.values()) - sizes[products["productFilename"][0]]
    assert after.bytes_total == before.bytes_total
    mast.fetch(products)
    assert mast.forecast(products).bytes_to_fetch == 0
    assert mast.forecast(products).fits_disk


def test_the_memory_is_that_of_what_opens_in_the_application(mast):
    products = mast.products(F770W)
    products["size"] = [7_000_000_000, 1000, 1000]
    app = mast.forecast(products)
    imviz = mast.forecast(products, configuration="imviz")
    assert app.memory.opened == imviz.memory.opened == 3  # image, segmentation map, catalog
    assert mast.forecast(products, configuration="specviz").memory.peak == 0
    assert app.memory.peak > imviz.memory.peak > 0


def test_where_the_memory_does_not_suffice_there_is_something_to_do_instead(mast, monkeypatch):
    products = mast.products(F770W)
    products["size"] = [70_000_000_000, 10_000_000_000, 1000]
    monkeypatch.setattr(outlook, "memory_free", lambda: 25_000_000_000)
    forecast = mast.forecast(products, extensions=["SCI", "ERR"])
    assert not forecast.fits_memory
    ways = {way.what: way.peak for way in forecast.alternatives}
    assert ways["open the extension SCI alone"] < forecast.memory.peak
    assert ways["use Imviz, which makes no copies"] < forecast.memory.peak
    assert any("cutout" in way for way in ways)
    # With room for one of them, but not for all
    monkeypatch.setattr(outlook, "memory_free", lambda: 20_500_000_000)
    assert "import 1 at a time" in {way.what for way in mast.forecast(products).alternatives}


def test_files_of_unknown_size_are_counted(mast):
    products = mast.products(F770W)
    products["size"].mask = [True, False, False]
    assert mast.forecast(products).unknown_sizes == 1


def test_a_forecast_can_be_cancelled(mast):
    def stop():
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        mast.forecast(mast.products(F770W), check_cancelled=stop)


@pytest.mark.parametrize("given", [None, F770W, Table({"obsid": ["1"]})])
def test_a_forecast_is_of_products(mast, given):
    with pytest.raises(InvalidInput, match="products"):
        mast.forecast(given)


def test_a_forecast_that_does_not_fit_the_disk(mast):
    forecast = mast.forecast(mast.products(F770W))
    full = dataclasses.replace(forecast, disk_free=forecast.bytes_to_fetch - 1)
    assert not full.fits_disk


def test_the_limit_of_a_container_counts(tmp_path):
    limit, used, statistics = (tmp_path / name for name in ("max", "current", "stat"))
    limit.write_text("3000\n")
    used.write_text("2500\n")
    statistics.write_text("anon 100\ninactive_file 200\n")
    assert memory_free([(limit, used, statistics)]) == 700
    limit.write_text("max\n")  # no limit
    assert memory_free([(limit, used, statistics)]) > 1_000_000
    assert memory_free([(tmp_path / "none", used, statistics)]) > 1_000_000


def test_the_room_of_a_folder_that_is_yet_to_be_made(tmp_path):
    assert disk_free(tmp_path / "a" / "b") == pytest.approx(disk_free(tmp_path), rel=0.1)
