"""The trail in the tray: replay of layers in a new process, notebook cells, what is handed out."""

import hashlib
import json
import shutil
import subprocess
import sys
import textwrap

import jdaviz
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from trays import tray_of, wait_for

from jdaviz_mast import Mast, conf
from jdaviz_mast.archive import join_products
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.library import Manifest

HST = "ib5741010"
F090W = "jw02733-o001_t001_nircam_clear-f090w"
F187N = "jw02733-o001_t001_nircam_clear-f187n"


def layers_of(app):
    """Label, content and origin of all that came from MAST, in the order of the data."""
    found = []
    for data in app._app.data_collection:
        if "mast_product_dataURI" in data.meta:
            digest = hashlib.sha256()
            for component in sorted(data.main_components, key=str):
                values = data.get_component(component).data
                if values.dtype.kind in "fiub":
                    digest.update(np.ascontiguousarray(values).tobytes())
            found.append([data.label, digest.hexdigest(), data.meta["mast_product_dataURI"]])
    return found


_LAYERS_OF = textwrap.dedent("""
    import hashlib, json, warnings
    import numpy as np
    def layers_of(app):
        found = []
        for data in app._app.data_collection:
            if "mast_product_dataURI" in data.meta:
                digest = hashlib.sha256()
                for component in sorted(data.main_components, key=str):
                    values = data.get_component(component).data
                    if values.dtype.kind in "fiub":
                        digest.update(np.ascontiguousarray(values).tobytes())
                found.append([data.label, digest.hexdigest(), data.meta["mast_product_dataURI"]])
        return found
""")

_REPLAY = _LAYERS_OF + textwrap.dedent("""
    import sys
    import jdaviz
    from jdaviz_mast import conf
    conf.server, conf.download_dir = sys.argv[1:3]
    app = jdaviz.App()
    replay = app.plugins["MAST Import"].replay(sys.argv[3])
    print("RESULT" + json.dumps({"report": replay.as_dict(), "layers": layers_of(app)}))
""")


def replay_in_a_new_process(archive, folder, path):
    done = subprocess.run(
        [sys.executable, "-c", _REPLAY, archive.url, folder, path],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition("RESULT")[2])


def six_products(mast):
    """Of several searches: images of one label, catalogs, levels."""
    hst = mast.products(mast.search("NGC 3132", mission="HST"))
    catalogs = [
        products[[str(name).endswith("_cat.ecsv") for name in products["productFilename"]]]
        for products in map(mast.products, (F090W, F187N))
    ]
    products = join_products([hst, *catalogs])
    assert len(products) == 6
    return products


@pytest.fixture
def imported(mast, tmp_path):
    """Six products in App: application, path of the manifest, bytes; the folder is gone."""
    app = jdaviz.App()
    tray = tray_of(app)
    tray.basket.add(six_products(mast))
    job = tray.basket.import_()
    assert job.state == "complete"
    path = tray.manifest().write(tmp_path.parent / f"{tmp_path.name}.json")
    content = {file.uri: file.path.read_bytes() for file in job.files}
    shutil.rmtree(tmp_path)
    return app, path, content


def test_replay_in_a_new_process_brings_the_same_bytes_and_layers(imported, archive, tmp_path):
    app, path, content = imported
    manifest = Manifest.read(path)
    assert [layer["label"] for layer in manifest.layers] == [name for name, *_ in layers_of(app)]
    assert len(manifest.layers) >= 6
    assert len(manifest.queries) == 3

    said = replay_in_a_new_process(archive, tmp_path, path)

    assert said["report"]["same"]
    assert said["layers"] == layers_of(app)
    for file in manifest.files:
        assert (tmp_path / file["path"]).read_bytes() == content[file["uri"]]


def test_replay_names_the_file_that_the_archive_has_changed(imported, archive, tmp_path):
    app, path, _ = imported
    archive.fail(Fault("changed", match="ib5741020_drc"))
    said = replay_in_a_new_process(archive, tmp_path, path)
    changed = [file for file in said["report"]["files"] if file["verdict"] != "same"]
    assert [file["uri"] for file in changed] == ["mast:HST/product/ib5741020_drc.fits"]
    assert changed[0]["verdict"] == "reprocessed"
    before, now = layers_of(app), said["layers"]
    assert [layer[0] for layer in now] == [layer[0] for layer in before]
    other = [a[2] for a, b in zip(before, now, strict=True) if a[1] != b[1]]
    assert other == ["mast:HST/product/ib5741020_drc.fits"]


def test_the_order_of_layers_is_that_of_the_manifest_whatever_comes_first(imported, archive):
    app, path, _ = imported
    content = json.loads(path.read_text())
    content["layers"].reverse()
    uris = [layer["uri"] for layer in content["layers"]]
    archive.latency = 0.05
    again = jdaviz.App()
    replay = tray_of(again).replay(content)
    assert replay.is_same
    assert [uri for *_, uri in layers_of(again)] == uris
    assert sorted(data for _, data, _ in layers_of(again)) == sorted(
        d for _, d, _ in layers_of(app)
    )


def test_what_was_chosen_for_the_viewer_is_replayed_too(archive, tmp_path):
    app = jdaviz.App()
    tray = tray_of(app)
    tray.extensions, tray.max_images = ["SCI", "WHT"], 1
    tray.import_observation(HST)
    manifest = tray.manifest()
    assert manifest.content["shown_with"] == {"extensions": ["SCI", "WHT"], "max_images": 1}
    again = jdaviz.App()
    assert tray_of(again).replay(manifest).is_same
    assert layers_of(again) == layers_of(app)
    assert len(layers_of(app)) == 2


# -- notebook cell ----------------------------------------------------------------------------


def executed(cell, archive, folder, monkeypatch):
    """Execute the lines of a cell in a kernel of its own; return the layers that it made."""
    monkeypatch.setenv("HOME", str(folder))
    before = f"from jdaviz_mast import conf\nconf.download_dir = {str(folder)!r}"
    after = _LAYERS_OF + "print('RESULT' + json.dumps(layers_of(app)))"
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (before, cell, after)]
    NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
    text = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    return json.loads(text.partition("RESULT")[2])


def by_hand(how, archive):
    """What a person does in the tray; returns the application and the job."""
    app = jdaviz.App()
    tray = tray_of(app)
    if how == "an observation ID":
        return app, tray.import_observation(HST)
    tray.target, tray.radius, tray.radius_unit, tray.mission = "NGC 3132", 6, "arcmin", "HST"
    observations = tray.search()
    if how == "selected rows":
        tray.observations.select_rows(slice(1, 2))
        return app, tray.import_selected()
    if how == "chosen products":
        tray.choose_products(observations)
        tray.products.select_rows(slice(0, 1))
        return app, tray.import_products()
    tray.basket.add(observations)
    mast = Mast(archive.url)
    catalog = mast.products(F090W)
    tray.basket.add(
        catalog[[str(n).endswith("_cat.ecsv") for n in catalog["productFilename"]]]
    )  # fmt: skip
    return app, tray.basket.import_()


@pytest.mark.parametrize(
    "how", ["an observation ID", "selected rows", "chosen products", "a basket of two searches"]
)
def test_a_cell_does_by_itself_what_was_done_by_hand(how, archive, tmp_path, monkeypatch):
    app, job = by_hand(how, archive)
    cell = tray_of(app).as_notebook_cell(job.id)
    assert str(tmp_path) not in cell
    assert "mast.search(" in cell
    made = executed(cell, archive, tmp_path / "kernel", monkeypatch)
    assert sorted(made) == sorted(layers_of(app))
    files = {p.name for p in (tmp_path / "kernel").rglob("*") if p.suffix in (".fits", ".ecsv")}
    assert files == {file.path.name for file in job.files}


def test_a_cell_of_many_products_takes_the_manifest(mast, archive):
    from trays import many_products

    job = mast.fetch(many_products(archive, 250))
    cell = mast.manifest(job.id).to_text("cell")
    assert f"mast.manifest({job.id!r})" in cell
    assert len(cell) < 500


# -- on the page ------------------------------------------------------------------------------


def test_the_menu_of_a_job_hands_out_its_manifest_in_each_form(archive):
    app = jdaviz.App()
    tray = tray_of(app)
    job = tray.import_observation(HST)
    obj = tray._obj
    wait_for(lambda: any(row["id"] == job.id for row in obj.job_list.rows), tray)
    for offer in obj.job_list.offers:
        name = offer["name"]
        if name == "replay":
            continue
        serial = obj.handout.serial
        obj.job_list.vue_make({"name": name, "id": job.id})
        wait_for(lambda serial=serial: obj.handout.serial > serial, tray)
        assert obj.handout.text == tray.manifest(job.id).to_text(name)
        assert job.id in obj.handout.name
        assert obj.handout.copied_at_once is (name == "cell")
        assert obj.handout.shown == ("" if name == "html" else obj.handout.text[:6000])
    obj.job_list.vue_make({"name": "replay", "id": job.id})
    wait_for(lambda: "Compared with the manifest" in obj.import_message, tray)
    assert "2 the same as in the manifest" in obj.import_message
    # What no menu offers is not done.
    obj.job_list.vue_make({"name": "__class__", "id": job.id})
    obj.job_list.vue_make({"name": "json", "id": "another"})
    obj.handout.vue_close()
    assert (obj.handout.title, obj.handout.text) == ("", "")


def test_a_manifest_that_is_chosen_on_the_page_is_replayed_or_refused(archive, mast, tmp_path):
    manifest = mast.manifest(mast.fetch(HST).id)
    shutil.rmtree(tmp_path)
    app = jdaviz.App()
    tray = tray_of(app)
    obj = tray._obj
    for text in ("", "[1]", '{"format": 1}', "x" * 100):
        obj.import_message = ""
        obj.handout.vue_replay(text)
        wait_for(lambda: obj.import_message, tray)
        assert obj.import_message.startswith("manifest: ")
        assert obj.import_message_type == "error"
    archive.fail(Fault("changed", match="drz"))
    archive.fail(Fault("status", status=404, match="drc"))
    obj.handout.vue_replay(manifest.to_text())
    wait_for(lambda: "Compared with the manifest" in obj.import_message, tray)
    assert obj.import_message_type == "warning"
    assert any(f"{HST}_drz.fits: the archive has another file" in n for n in obj.import_notes)
    assert sum(f"{HST}_drc.fits" in n for n in obj.import_notes) == 1, "told once"
    assert len(layers_of(app)) == 1


def test_scripts_of_selection_and_basket(archive):
    app = jdaviz.App()
    tray = tray_of(app)
    obj = tray._obj
    with pytest.raises(InvalidInput, match="none selected"):
        tray.curl_script()
    tray.target, tray.mission = "NGC 3132", "HST"
    tray.search()
    tray.observations.select_rows(slice(0, 1))
    assert tray.curl_script().count("\nfetch ") == 2
    assert tray.curl_script(HST).count("\nfetch ") == 2
    obj.vue_curl_script()
    wait_for(lambda: obj.handout.text, tray)
    assert obj.handout.text.startswith("#!/bin/bash")
    tray.basket.add(HST)
    serial = obj.handout.serial
    obj.basket.vue_curl_script()
    wait_for(lambda: obj.handout.serial > serial, tray)
    assert obj.handout.text.count("\nfetch ") == len(tray.basket.products)
    assert conf.download_dir not in obj.handout.text
