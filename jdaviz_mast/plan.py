"""From what was asked for to the files of a job: which they are, where they go, where from."""

import contextlib
import dataclasses
import functools

import numpy as np
from astropy.table import Row, Table

from jdaviz_mast.archive import (
    COMBINED_LEVEL,
    Archive,
    as_dict,
    as_observations,
    bucket_address,
    plain_server,
)
from jdaviz_mast.errors import Cancelled, FileProblem, InvalidInput, MastError
from jdaviz_mast.library.disk import product_path
from jdaviz_mast.products import check_contents
from jdaviz_mast.transfer import (
    Item,
    Source,
    all_records,
    bytes_on_disk,
    is_set_aside,
    safe_path,
)

__all__ = ["Plan", "as_given", "is_exposure", "is_public", "title_of_given"]


class Plan:
    """Says of jobs which files they are to fetch, with the settings that it was made with.

    Parameters
    ----------
    server : str
        Address of the archive.
    download_dir : `~pathlib.Path`
    """

    def __init__(self, server, download_dir):
        self._server, self._download_dir = server, download_dir
        self._archive = Archive(server)

    def make(self, record, check_cancelled, say):
        """Return the `Item` list of a job; the archive is asked if it is not known yet."""
        begun_at = record.request.get("server")
        if begun_at not in (None, self._server):
            # Not asked by itself: whoever wrote the record would get the token.
            say(f"It was begun at {plain_server(begun_at)}; {self._server} is asked now.")
        abouts = record.files()
        if abouts is None:
            abouts = self._ask_for_products(record, check_cancelled)
            record.keep_files(abouts)
        return self._items(abouts, record.request.get("source"), check_cancelled, say)

    def kept_items(self, record):
        """Return the items of a job as its record knows them, None before it was planned."""
        abouts = record.files()
        if abouts is None:
            return None
        items = self._distinct_items(abouts)
        return items if record.request.get("source") else [_as_it_is(item) for item in items]

    def items_of(self, products):
        """Return the items of products, a table of the archive's rows, without sources."""
        abouts = [{"product": as_dict(row), "observation": {}} for row in products]
        return self._distinct_items(abouts)

    def _ask_for_products(self, record, check_cancelled):
        """Return what is known of each file of a job: its product row and its observation's."""
        given, rows = record.given(), {}
        products = given.get("products")
        if products is None:
            observations = given.get("observations")
            all_levels = record.request["all_levels"]
            if observations is None:
                found = as_observations(self._archive, given["observation_id"], check_cancelled)
                all_levels = all_levels or is_exposure(found)
                observations = [as_dict(row) for row in found]
            rows = {str(row["obsid"]): row for row in observations}
            found = self._archive.products(
                Table({"obsid": list(rows)}),
                all_levels=all_levels,
                product_type=record.request["product_type"],
                check_cancelled=check_cancelled,
            )
            products = [as_dict(row) for row in found]
        # A mosaic's list holds the products of its exposures: each has a row of its own.
        unknown = {str(p["obsID"]) for p in products if p.get("obsID")} - set(rows)
        if unknown:
            own = self._archive.observations_by_obsid(unknown, check_cancelled=check_cancelled)
            rows |= {str(row["obsid"]): as_dict(row) for row in own}
        nothing = {}
        return [
            {"product": product, "observation": next(
                (rows[key] for key in (str(product.get("obsID")), str(product.get("parent_obsid")))
                 if key in rows), nothing)}
            for product in products
        ]  # fmt: skip

    def _items(self, abouts, source, check_cancelled, say):
        """Return the items, with the sources that they can be fetched from."""
        items = self._distinct_items(abouts)
        if source is None:
            return [_as_it_is(item) for item in items]
        in_cloud = {}
        if source != "http":
            try:
                in_cloud = self._in_cloud(items, source, check_cancelled)
            except Cancelled:
                raise
            except MastError as error:
                if source == "s3":
                    raise
                say(f"S3 was left out: {error}")
        return [self._with_sources(item, source, in_cloud) for item in items]

    def _in_cloud(self, items, source, check_cancelled):
        """Ask where files are in the public bucket; URI to address."""
        if bucket_address(self._server) is None:
            return {}
        wanted = [
            item.uri
            for item in items
            if not item.problem
            and _is_to_be_fetched(item, source)
            and (source == "s3" or is_public(item.about))
        ]
        found = self._archive.cloud_urls(wanted, check_cancelled) if wanted else {}
        return {uri: url for uri, url in found.items() if url}

    def _with_sources(self, item, source, in_cloud):
        sources, problem = [], item.problem
        if item.uri in in_cloud:
            sources.append(Source("s3", in_cloud[item.uri]))
        if source != "s3":
            sources.append(Source("http", self._archive.download_url(item.uri)))
        elif not sources and not problem and _is_to_be_fetched(item, source):
            problem = "The product is not in the cloud (S3); fetch it with the source 'http'."
        return dataclasses.replace(item, sources=tuple(sources), problem=problem)

    def _distinct_items(self, abouts):
        """Return the items of products; those that would have another one's place have none."""
        items, places = [], {}
        for item in map(self.item, abouts):
            # Letters of either case: on some file systems they are the same file.
            place = str(item.path or item.uri).casefold()
            uri = places.setdefault(place, item.uri)
            if uri != item.uri:
                problem = f"It has the same file name as {uri}."
                item = dataclasses.replace(item, path=None, problem=problem)
            items.append(item)
        return items

    def item(self, about):
        """Return the item of a product, without sources."""
        product = about["product"]
        uri = str(product["dataURI"])
        filename = str(product.get("productFilename") or uri.rsplit("/", 1)[-1])
        path, problem = None, ""
        try:
            path = product_path(self._download_dir, product, about.get("version"))
        except FileProblem as error:
            problem = str(error)
        size = product.get("size")
        size = size if isinstance(size, int) and size >= 0 else None
        return Item(
            uri=uri,
            sources=(),
            path=path,
            size=size,
            check=functools.partial(check_contents, name=filename, size_known=size is not None),
            about=about,
            problem=problem,
        )

    def existing_items(self, observation_id):
        """Return the items of the files of an observation that are on disk."""
        known = {}
        for record in all_records(self._download_dir):
            with contextlib.suppress(OSError):  # FileProblem is one
                for item in self.kept_items(record) or ():
                    if item.about["product"].get("obs_id") == observation_id and item.path:
                        known[item.path] = item
        items = []
        for folder in _folders_of(self._download_dir, observation_id):
            for path in sorted(folder.iterdir()):
                if path.name.startswith(".") or not path.is_file() or is_set_aside(path):
                    continue
                product = {"obs_collection": folder.parent.name, "obs_id": observation_id,
                           "productFilename": path.name, "dataURI": path.name}  # fmt: skip
                about = {"product": product, "observation": {}}
                items.append(known.get(path) or self.item(about))
        return [_as_it_is(item) for item in items]


def _is_to_be_fetched(item, source):
    """Return whether a file is not there yet.

    Its size tells, but not where S3 alone can replace one that is damaged.
    """
    if bytes_on_disk(item.path, item.size) is not None:
        return True
    return source == "s3" and not item.is_good()


def _as_it_is(item):
    """Return the item of a file that nobody has listed with the size that it has."""
    if item.size is not None or item.path is None:
        return item
    with contextlib.suppress(OSError):
        return dataclasses.replace(item, size=item.path.stat().st_size)
    return item


def is_exposure(named):
    """Return whether rows that were named are of exposures alone: who names one means it."""
    return not np.any(named["calib_level"] >= COMBINED_LEVEL)


def as_given(given):
    """Return what a fetch was given as JSON: an ID, observations or products."""
    if isinstance(given, str):
        return {"observation_id": given}
    if isinstance(given, Row):
        given = Table(given)
    for column, name in (("dataURI", "products"), ("obsid", "observations")):
        if isinstance(given, Table) and column in given.colnames:
            return {name: [as_dict(row) for row in given]}
    raise InvalidInput(
        "observations", type(given).__name__, "give what search() returned, or an ID"
    )


def title_of_given(given):
    """Say in a few words what was asked for."""
    if "observation_id" in given:
        return given["observation_id"]
    ((noun, rows),) = given.items()
    targets = {row.get("target_name") or row.get("obs_id") or "" for row in rows}
    of = f" of {targets.pop()}" if len(targets) == 1 else ""
    if len(rows) == 1:
        one = rows[0].get("productFilename") or rows[0].get("obs_id")
        if one:
            return one
    return f"{len(rows):,} {noun}{of}"


def is_public(about):
    """Return whether everybody may fetch a product, as far as its rows tell."""
    rights = about["product"].get("dataRights") or about["observation"].get("dataRights")
    return rights in (None, "", "PUBLIC")


def _folders_of(download_dir, observation_id):
    """Yield the folders that hold files of an observation, one a mission."""
    try:
        missions = [path for path in download_dir.iterdir() if path.is_dir()]
    except OSError:
        return
    for mission in missions:
        with contextlib.suppress(FileProblem):
            folder = safe_path(download_dir, mission.name, observation_id)
            if folder.is_dir():
                yield folder
