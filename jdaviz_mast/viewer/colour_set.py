"""Puts a colour picture on, and takes it off again, through jdaviz's own Plot Options."""

from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.colours import choose_layers, layers_of, opacity, plain_name

__all__ = ["ColourSet"]

_ONE_COLOUR_PER_LAYER = "One color per layer"
_STRETCH = "arcsinh"
#: Per cent of the pixels that the stretch spans: stars burn out, nebulae do not.
_SPAN = 99.5
_CUSTOM = "Custom"
# Plot Options that are put back, in this order: limits follow from a preset, or are custom.
_OPTIONS = ("image_visible", "image_color", "image_opacity", "stretch_function", "stretch_preset")


class ColourSet:
    """The colours of one application's images; what was before is kept until `undo`.

    Parameters
    ----------
    app : jdaviz's private application

    Attributes
    ----------
    layers : list of `~jdaviz_mast.viewer.colours.ColourLayer`
        Those that are in colour, from the longest wavelength to the shortest; empty if no
        viewer shows any.
    switched_off : list of str
        Labels of layers that would have been added to the picture: other images of the field.
    problem : str
        Why the images are not aligned on the sky; empty if they are.
    """

    def __init__(self, app):
        self._app = app
        self._before = {}  # viewer → (colour mode, {label: options})
        self.layers, self.switched_off, self.problem = [], [], ""

    def apply(self, labels=None, target=None, obsids=None):
        """Show images of one target as a colour picture, in each viewer that shows any.

        Parameters
        ----------
        labels : sequence of str, optional
            Which images; by default the combined ones of one target, one for each filter.
        target : str, optional
            MAST's ``target_name``; by default the one of which there are most filters.
        obsids : set of str, optional
            MAST's ``obsid`` of the observations whose images may be taken; by default any.

        Returns
        -------
        layers : list of `~jdaviz_mast.viewer.colours.ColourLayer`

        Raises
        ------
        InvalidInput
            If there are not two images to make a picture of.
        """
        images = jdaviz_api.images(self._app)
        if labels is None:
            layers = choose_layers(images, target, obsids)
        else:
            layers = layers_of(images, labels)
        self.problem = ""
        try:
            jdaviz_api.align_by_sky(self._app)
        except ValueError as error:  # there are subsets or markers
            self.problem = f"The images are not aligned on the sky: {error}"
        with jdaviz_api.one_redraw(self._app):
            self.undo()  # what is kept is what was before all colours
            self._show(images, layers)
        return layers

    def _show(self, images, layers):
        strength = opacity([layer.colour for layer in layers])
        colours = {layer.label: layer.colour for layer in layers}
        first = images[layers[0].label]
        with jdaviz_api.plot_options(self._app) as options:
            for viewer in options.viewer.choices:
                options.viewer.selected = viewer
                shown = [label for label in options.layer.choices if label in images]
                if not colours.keys() & set(shown):
                    continue
                # In colour all that is visible is added up, so what else shows this field has to
                # go. Images of other targets lie elsewhere and stay as they are.
                others = [
                    label for label in shown
                    if label not in colours and _is_of_field(images[label], first)
                ]  # fmt: skip
                kept = {label: _options(options, label) for label in shown
                        if label in colours or label in others}  # fmt: skip
                self._before[viewer] = options.image_color_mode.value, kept
                for label in others:
                    if kept[label]["image_visible"]:
                        options.layer.selected = label
                        options.image_visible.value = False
                        self.switched_off.append(label)
                for label in filter(colours.get, shown):
                    _colour(options, label, colours[label], strength)
                options.image_color_mode.value = _ONE_COLOUR_PER_LAYER
        self.layers = layers if self._before else []

    def undo(self):
        """Put back what was before; layers and viewers that have gone are passed over."""
        before, self._before = self._before, {}
        self.layers, self.switched_off = [], []
        if not before:
            return
        with jdaviz_api.one_redraw(self._app), jdaviz_api.plot_options(self._app) as options:
            for viewer, (mode, kept) in before.items():
                if viewer not in options.viewer.choices:
                    continue
                options.viewer.selected = viewer
                there = [label for label in kept if label in options.layer.choices]
                for label in there:
                    _put_back(options, label, kept[label])
                if there:
                    options.image_color_mode.value = mode


def _is_of_field(data, first):
    """Whether an image shows the same field, as far as is known of it."""
    name = plain_name(data.meta.get("mast_target_name"))
    return not name or name == plain_name(first.meta.get("mast_target_name"))


def _options(options, label):
    """Return what Plot Options says of a layer of the viewer that is selected there."""
    options.layer.selected = label
    values = {name: getattr(options, name).value for name in _OPTIONS}
    return values | {"limits": (options.stretch_vmin.value, options.stretch_vmax.value)}


def _put_back(options, label, values):
    options.layer.selected = label
    for name in _OPTIONS:
        getattr(options, name).value = values[name]
    if values["stretch_preset"] == _CUSTOM:
        options.stretch_vmin.value, options.stretch_vmax.value = values["limits"]


def _colour(options, label, colour, strength):
    options.layer.selected = label
    options.image_visible.value = True
    options.image_color.value = colour
    options.image_opacity.value = strength
    options.stretch_function.value = _STRETCH
    options.stretch_preset.value = _SPAN
