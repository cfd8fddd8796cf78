"""From a file to layers: what a product of each kind opens as, and how it gets in."""

import contextlib
import dataclasses
import functools
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from jdaviz_mast.errors import NotViewable
from jdaviz_mast.library.layer_rows import FILE_OF_LAYER
from jdaviz_mast.products import kind_of_file
from jdaviz_mast.viewer import (
    catalogs,
    cubes,
    images,
    jdaviz_adding,
    jdaviz_api,
    light_curves,
    spectra,
)
from jdaviz_mast.viewer.labels import free_label
from jdaviz_mast.viewer.metadata import layer_metadata
from jdaviz_mast.viewer.parts import Part

__all__ = ["MOST_PARTS", "Opened", "open_product", "parts_of"]

#: Integrations of a stack, or spectra of a file, that are opened at the most: jdaviz becomes
#: slow with many layers.
MOST_PARTS = 16
#: Longest rest, in seconds, that the page is given after a layer was added.
_LONGEST_REST = 1.0


@dataclass
class Opened:
    """What was opened, of one file or of several.

    Attributes
    ----------
    labels : list of str
        Labels of all layers, in the order in which they were made.
    layers : list of str
        Labels of those that are switched on.
    hidden_layers : list of str
        Labels of those that are not.
    formats : `~collections.Counter`
        How many layers were made, by jdaviz's name of the format.
    already : `~collections.Counter`
        How many were in the application before, by format.
    notes : list of str
        Sentences on what a person should know of it.
    """

    labels: list = field(default_factory=list)
    layers: list = field(default_factory=list)
    hidden_layers: list = field(default_factory=list)
    formats: Counter = field(default_factory=Counter)
    already: Counter = field(default_factory=Counter)
    notes: list = field(default_factory=list)


def open_product(
    app, path, kind, about, *, uri=None, extensions=("SCI",), hidden=False, opened=None,
    call=lambda function: function(), turn=None,
):  # fmt: skip
    """Open a file in the application, as what it is.

    It is read on the calling thread, and added by ``call``.

    Parameters
    ----------
    app : jdaviz's private application
    path : path-like
    kind : `~jdaviz_mast.products.Kind`
        What the archive says that it is. If its headers say otherwise, they are believed.
    about : dict
        ``"observation"`` and ``"product"``: the archive's rows as dicts; ``"version"`` if there
        are several of the file.
    uri : str, optional
        The product's ``dataURI``, if it is not in its row.
    extensions : sequence of str
        Names of the extensions of an image that become layers.
    hidden : bool
        Whether the layers of an image or a catalog are not switched on at once.
    opened : Opened, optional
        To add to.
    call : callable
        Executes a function on the thread that owns the application, and returns its result.
    turn : context manager, optional
        Held while a layer is added.

    Returns
    -------
    opened : Opened

    Raises
    ------
    NotViewable
        If what it is does not open in this application; nothing was changed.
    MastError
        If it could not be read, or jdaviz could not open it. What had been opened of it before
        stays.
    """
    opened = Opened() if opened is None else opened
    turn = contextlib.nullcontext() if turn is None else turn
    product = about["product"]
    found = kind_of_file(path, kind)
    if found is not kind:
        listed = f"the archive lists it as {kind.with_article}, but"
        if not found.opens_in(app.config):
            raise NotViewable(f"{listed} it is {found.why_not(app.config)}.")
        opened.notes.append(f"{listed} it is {found.with_article}, and was opened as that.")
    elif not kind.opens_in(app.config):
        raise NotViewable(f"{kind.why_not(app.config)}.")
    parts, note = parts_of(path, found, extensions)
    if note:
        opened.notes.append(note)
    metadata = layer_metadata(about["observation"], product)
    # The archive's name is what tells later that the file is in the viewer.
    uri = uri or product.get("dataURI") or f"file:{Path(path).name}"
    metadata["mast_product_dataURI"] = uri
    metadata[FILE_OF_LAYER] = str(path)
    about = about | {"version": about.get("version") or _version_of(path, product)}
    for part in parts:
        part = _of_version(part, about["version"])
        is_there = functools.partial(jdaviz_api.has_part, app, uri, part.key)
        if call(is_there):
            opened.already[part.format] += 1
            continue
        content = part.read()
        is_hidden = part.hidden or (hidden and part.format in ("Image", "Catalog"))
        with turn:
            began = time.monotonic()
            if call(is_there):  # another import was faster
                opened.already[part.format] += 1
                continue
            add = functools.partial(_add, app, content, part, about, metadata, is_hidden, opened)
            call(add)
            # jdaviz takes longer for each further layer, and the page is blocked for that
            # time: it gets as long to answer the user.
            time.sleep(min(time.monotonic() - began, _LONGEST_REST))
    return opened


def _version_of(path, product):
    """Return the version that a file lies in the folder of, None for the first that was fetched."""
    folder, obs_id = Path(path).parent, product.get("obs_id")
    return folder.name if obs_id and folder.parent.name == obs_id else None


def _of_version(part, version):
    """Return a part that is another one than that of an earlier version of the file."""
    return dataclasses.replace(part, key=f"{part.key} {version}") if version else part


def _add(app, content, part, about, metadata, hidden, opened):
    label = free_label(
        about["observation"], about["product"], jdaviz_api.data_labels(app), part.name,
        about["version"],
    )  # fmt: skip
    if part.format == "Image":
        content.meta.update(metadata)
    note = jdaviz_adding.add_layer(
        app, content, label, format=part.format, metadata=metadata, key=part.key,
        visible=not hidden,
    )  # fmt: skip
    opened.notes += [note] if note else []
    opened.formats[part.format] += 1
    opened.labels.append(label)
    (opened.hidden_layers if hidden else opened.layers).append(label)
    if part.format == "Image" and content.coords is not None:
        try:
            # At once: the images that follow are then linked to the sky as they come.
            jdaviz_api.align_by_sky(app)
        except ValueError as error:
            opened.notes.append(f"The images are not aligned on the sky: {error}")


def parts_of(path, kind, extensions=("SCI",)):
    """Return the parts of a file that become layers, and a sentence on those that do not.

    Parameters
    ----------
    path : path-like
    kind : `~jdaviz_mast.products.Kind`
        What it is.
    extensions : sequence of str
        Names of the extensions of an image.

    Returns
    -------
    parts : list of Part
    note : str
        Empty if all become layers.
    """
    if kind.is_image:
        return _images(path, kind, extensions), ""
    if kind.by_slice:
        return _slices(path, kind)
    return _PARTS[kind.format](path)


def _images(path, kind, extensions):
    found = images.image_extensions(path, extensions)
    return [
        Part(
            "{},{}".format(*extension),
            "Image",
            functools.partial(images.read_image, path, extension),
            name=_name_of(extension, found),
            hidden=kind.hidden or (number > 0 and extension[0] != "SCI"),
        )
        for number, extension in enumerate(found)
    ]


def _name_of(extension, extensions):
    """Return what to call an extension in a label: nothing where there is only the science."""
    name, version = extension
    if [other for other, _ in extensions].count(name) > 1:
        return f"{name},{version}"
    return "" if name == "SCI" else name


def _slices(path, kind):
    extension, count = images.stack_of(path)
    noun = "integration" if kind.name == "stack of integrations" else "slice"
    parts = [
        Part(
            f"{extension[0]},{extension[1]},{index + 1}",
            "Image",
            functools.partial(images.read_slice, path, extension, index),
            name=f"{noun} {index + 1}",
            hidden=index > 0,
        )
        for index in range(min(count, MOST_PARTS))
    ]
    return parts, _of_many(count, f"{noun}s")


def _spectra(read, form):
    def parts_of_spectra(path):
        found = read(path)
        parts = [
            Part(key, form, functools.partial(_same, spectrum), name=name)
            for key, name, spectrum in found[:MOST_PARTS]
        ]
        return parts, _of_many(len(found), "spectra")

    return parts_of_spectra


def _single(read, form):
    def part_of_file(path):
        return [Part(form, form, functools.partial(read, path))], ""

    return part_of_file


def _ramp(path):
    ramp, count = cubes.read_ramp(path)
    note = f"its first integration was opened, of {count:,}" if count > 1 else ""
    return [Part("Ramp", "Ramp", functools.partial(_same, ramp))], note


def _of_many(count, noun):
    if count <= MOST_PARTS:
        return ""
    return f"its first {MOST_PARTS} {noun} were opened, of {count:,}"


def _same(content):
    return content


_PARTS = {
    "1D Spectrum": _spectra(spectra.read_spectra_1d, "1D Spectrum"),
    "2D Spectrum": _spectra(spectra.read_spectra_2d, "2D Spectrum"),
    "3D Spectrum": _single(cubes.read_cube, "3D Spectrum"),
    "Ramp": _ramp,
    "Catalog": _single(catalogs.read_catalog, "Catalog"),
    "Light Curve": _single(light_curves.read_light_curve, "Light Curve"),
    "TPF": _single(light_curves.read_target_pixels, "TPF"),
}
