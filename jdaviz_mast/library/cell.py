"""What was done by hand, as the lines of a notebook cell that do it again."""

import keyword
import re

from jdaviz_mast.archive.session import MAST_SERVER

__all__ = ["cell_of"]

#: Products that a cell lists by name; of more it takes the manifest.
_MOST = 200
_NAME = re.compile(r"[A-Za-z_]\w*")
_REGION = "region"


def cell_of(content):
    """Return the lines that search, choose and import again.

    Every value in them is a literal of Python's, whatever a manifest holds.

    Parameters
    ----------
    content : dict
        Of a `jdaviz_mast.library.Manifest`.

    Returns
    -------
    cell : str
        Python, to be pasted into a cell of a notebook.
    """
    files = content["files"]
    uris = [file["uri"] for file in files]
    lines = ["import jdaviz", "from jdaviz_mast import Mast, conf", ""]
    if content["server"] != MAST_SERVER:
        lines += ["# Not MAST itself, but an archive that must be running:",
                  f"conf.server = {content['server']!r}", ""]  # fmt: skip
    lines.append("mast = Mast()")
    if len(uris) > _MOST or not content["queries"]:
        return "\n".join([*lines, *_from_manifest(content)]) + "\n"
    several = len(content["queries"]) > 1
    found = []
    for number, query in enumerate(content["queries"], 1):
        name = f"observations_{number}" if several else "observations"
        lines.append(f"{name} = {_search(query['arguments'])}")
        found.append(name)
    wanted = _parents(content)
    choice = content["choice"]
    as_a_whole = choice["asked_for"] in ("observations", "observation_id")
    if as_a_whole:
        options = {"all_levels": choice["all_levels"] or _below(files),
                   "product_type": choice["product_type"]}  # fmt: skip
        if options == {"all_levels": False, "product_type": "SCIENCE"}:
            options = {}
    else:
        options = {"all_levels": True, "product_type": None}
    arguments = "".join(f", {name}={value!r}" for name, value in options.items())
    products = []
    for name in found:
        end = name.removeprefix("observations")
        if wanted:
            lines += [
                f"{name} = {name}[[",
                "    row['obsid'] in (",
                *(f"        {obsid!r},{_remark(obs_id)}" for obsid, obs_id in wanted.items()),
                f"    ) for row in {name}",
                "]]",
            ]
        lines.append(f"products{end} = mast.products({name}{arguments})")
        products.append(f"products{end}")
    # Two files of one filter share a label: the first gets it, so the order is part of it.
    shown = list(dict.fromkeys(layer["uri"] for layer in content.get("layers", [])))
    in_order = shown + [uri for uri in uris if uri not in shown]
    uris = None if as_a_whole and uris == in_order else in_order
    return "\n".join([*lines, *_choose(products, uris), *_import(content)]) + "\n"


def _search(arguments):
    given = dict(arguments)
    # Names of arguments are words; anything else in a manifest is not one of ours.
    given = {name: value for name, value in given.items()
             if _NAME.fullmatch(name) and not keyword.iskeyword(name)}  # fmt: skip
    if _REGION in given:
        region = given.pop(_REGION)
        more = "".join(f", {name}={value!r}" for name, value in given.items())
        return f"mast.search_region({region!r}{more})"
    return f"mast.search({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def _parents(content):
    """Return the observations whose product lists the files are in: ``obsid`` to ``obs_id``."""
    names = {str(o["obsid"]): o.get("obs_id") for o in content["observations"] if o.get("obsid")}
    parents = {}
    for file in content["files"]:
        product = file["product"]
        parent = product.get("parent_obsid") or product.get("obsID") or file["obsid"]
        if parent:
            parents[str(parent)] = names.get(str(parent))
    return parents


def _remark(text):
    if not text or not str(text).isprintable():
        return ""
    return f"  # {text}"


def _below(files):
    """Whether an exposure was fetched at its own level, as happens if it is named by its ID."""
    levels = [file["calib_level"] for file in files if file["calib_level"] is not None]
    return bool(levels) and max(levels) < 3


def _choose(products, uris):
    lines, first = [], products[0]
    if len(products) > 1:
        lines.append(f"products = join_products([{', '.join(products)}])")
        lines.insert(0, "from jdaviz_mast.archive import join_products")
        first = "products"
    if uris is not None:
        lines += [
            "wanted = [",
            *(f"    {uri!r}," for uri in uris),
            "]",
            f"uris = {first}['dataURI'].tolist()",
            f"products = {first}[[uris.index(uri) for uri in wanted]]",
        ]
    return [*lines, ""]


def _import(content):
    lines = ["app = jdaviz.App()", "app.show()", "tray = app.plugins['MAST Import']"]
    shown_with = content.get("shown_with") or {}
    if shown_with.get("extensions", ["SCI"]) != ["SCI"]:
        lines.append(f"tray.extensions = {shown_with['extensions']!r}")
    if shown_with.get("max_images", 24) != 24:
        lines.append(f"tray.max_images = {shown_with['max_images']!r}")
    in_order = ", in_order=True" if content.get("layers") else ""
    return [*lines, f"job = tray.import_products(products{in_order})"]


def _from_manifest(content):
    return [
        f"manifest = mast.manifest({content['job']['id']!r})",
        "app = jdaviz.App()",
        "app.show()",
        "report = app.plugins['MAST Import'].replay(manifest)",
    ]
