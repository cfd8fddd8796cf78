"""The part of the tray that makes a colour picture of the images of one target."""

import functools

import numpy as np
from traitlets import Bool, List

from jdaviz_mast.archive import COMBINED_LEVEL, as_dict
from jdaviz_mast.errors import InvalidInput, MastError
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.import_side import ImportSide
from jdaviz_mast.tray.words import some_of
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.colour_set import ColourSet
from jdaviz_mast.viewer.colours import LOADED, one_image_each, plain_name

__all__ = ["ColourSide"]

_ROWS = "selected rows"


class ColourSide(ImportSide):
    """Colours the images of one target; imports those of the selected rows before."""

    has_images = Bool(False).tag(sync=True)  # whether there is anything to colour
    colouring = Bool(False).tag(sync=True)
    colour_legend = List().tag(sync=True)  # from red to blue: dicts of label, filter, colour

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._colours = ColourSet(self._app)

    def colour_set(self, labels=None):
        """Show the combined images of one target as a colour picture.

        Each filter gets a colour, from red for the longest wavelength to blue for the
        shortest, an arcsinh stretch over 99.5 % of its pixels, and an opacity at which they add
        up; all of it can be changed in jdaviz's Plot Options, and `undo_colours` takes it back.

        Parameters
        ----------
        labels : sequence of str, optional
            Layers to take. By default the level-3 images of the selected rows, which are imported
            first if they are not in the viewer; with no row selected, those of the target of
            which most filters are loaded.

        Returns
        -------
        colours : dict
            Label to colour, such as ``#ff0000``, from the longest wavelength to the shortest.

        Raises
        ------
        InvalidInput
            If there are not two filters of one target.
        jdaviz_mast.errors.MastError
            If images of the selected rows could not be imported.
        """
        if labels is None:
            target, obsids, missing = self._of_selection()
            if missing is not None:
                products = self._ask_for_images(missing).wait()
                if len(products):
                    self._job_of(self._start_import(products))
                    obsids |= _obsids_of(products)
        else:
            target, obsids, labels = None, None, [labels] if isinstance(labels, str) else labels
        return self._colour(target, obsids, labels)

    def undo_colours(self):
        """Put back the colours, stretches and layers as they were before `colour_set`."""
        self._colours.undo()
        self.colour_legend = []

    def _colour(self, target, obsids, labels=None):
        layers = self._colours.apply(labels, target, obsids)
        self.colour_legend = [
            {"label": layer.label, "filter": layer.filter, "colour": layer.colour}
            for layer in self._colours.layers
        ]
        notes = [self._colours.problem] if self._colours.problem else []
        if self._colours.switched_off:
            off = some_of(self._colours.switched_off)
            notes.append(f"Switched off, since colours add up: {off}.")
        self.import_notes = notes
        if self._colours.layers:
            order = ", ".join(layer.filter for layer in layers)
            of = f" of {target}" if target else ""
            self._say("import", f"A colour picture{of}, from red to blue: {order}.", "success")
        else:
            hint = jdaviz_api.image_viewer_hint(self._app)
            self._say("import", f"No viewer shows these images. {hint}".strip(), "warning")
        return {layer.label: layer.colour for layer in layers}

    def _of_selection(self):
        """Return target and obsids of the selected rows, and the rows that are to be imported."""
        selected = self.observations.selected
        if selected is None:
            return None, None, None
        chosen = selected[
            (np.ma.filled(selected["calib_level"], -1) >= COMBINED_LEVEL)
            & (np.ma.filled(selected["dataproduct_type"], "") == "image")
        ]
        names = np.ma.filled(chosen["target_name"], "")
        targets = {plain_name(name): str(name) for name in names if name}
        if len(targets) != 1:
            raise InvalidInput(
                _ROWS, ", ".join(targets.values()) or "no combined image",
                "a colour picture is made of combined images (level 3) of one target",
            )  # fmt: skip
        loaded = {
            str(data.meta.get("mast_obsid")) for data in jdaviz_api.images(self._app).values()
        }
        obsids = {str(obsid) for obsid in chosen["obsid"]}
        missing = chosen[[str(obsid) not in loaded for obsid in chosen["obsid"]]]
        return next(iter(targets.values())), obsids, missing if len(missing) else None

    def _ask_for_images(self, observations):
        """Ask which products are the images of observations; return the `Worker`."""
        self.colouring, mast = True, self.mast

        def ask(worker):
            found = mast.products(observations, check_cancelled=worker.check_cancelled)
            return found[one_image_each([as_dict(row) for row in found])]

        return Worker(
            self._owner, ask, on_done=self._images_known, on_error=self._no_colours
        ).start()

    def _images_known(self, _products):
        self.colouring = False

    def _no_colours(self, error):
        self.colouring = False
        self._say("import", _in_words(error), "error")

    def _import_ended(self, *outcome):
        super()._import_ended(*outcome)
        self.has_images = bool(jdaviz_api.images(self._app))

    # From the page

    def vue_colour_set(self, *_):
        """Colour, without waiting for the import of what is not loaded."""
        if self.colouring:
            return
        self.import_message, self.import_notes = "", []
        try:
            target, obsids, missing = self._of_selection()
            if missing is None:
                self._colour(target, obsids)
            else:
                self._ask_for_images(missing).then(
                    lambda products: self._import_then(products, target, obsids)
                )
        except MastError as error:
            self._no_colours(error)

    def _import_then(self, products, target, obsids):
        obsids = obsids | _obsids_of(products)
        colour = functools.partial(self._colour_at_last, target, obsids)
        if not len(products):
            colour(None)
        elif (running := self._import_of(products)) is not None:  # pressed again meanwhile
            running.worker.then(colour)
        else:
            self._start_import(products).then(colour)

    def _colour_at_last(self, target, obsids, _job):
        try:
            self._colour(target, obsids)
        except MastError as error:
            self._no_colours(error)

    def vue_undo_colours(self, *_):
        """Put the colours back."""
        self.undo_colours()
        self.import_message, self.import_notes = "", []


def _obsids_of(products):
    """Return whose the products of the selected rows are; it need not be those rows."""
    return {str(obsid) for obsid in products["obsID"]} if len(products) else set()


def _in_words(error):
    """Return what to tell a person: what a picture is made of, and what there is instead."""
    if isinstance(error, InvalidInput) and error.field in (_ROWS, LOADED):
        needed = f"{error.allowed[:1].upper()}{error.allowed[1:]}"
        return f"{needed}. {error.field.capitalize()}: {error.value}."
    return sentence(error)
