"""The part of the front door that keeps the trail: manifests, replay, scripts."""

from astropy.table import Row, Table

from jdaviz_mast.archive import as_observations, bucket_address, plain_server
from jdaviz_mast.config import conf
from jdaviz_mast.curl_script import curl_script
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.library import (
    Manifest,
    Replay,
    abouts_of,
    keep_layers,
    kept_manifest,
    make_manifest,
)
from jdaviz_mast.plan import as_given, is_exposure, title_of_given
from jdaviz_mast.transfer import Record, remove_old
from jdaviz_mast.words import one_line

__all__ = ["Reproducible", "check_executor", "check_source"]

_AGAIN = ", again"


class Reproducible:
    """What `jdaviz_mast.Mast` does so that an import can be traced and made again."""

    def curl_script(
        self,
        observations_or_products,
        *,
        all_levels=False,
        product_type="SCIENCE",
        check_cancelled=None,
    ):
        """Return a bash script that fetches products with cURL, now or on another machine.

        It can be run again and goes on where it stopped, compares sizes, never puts parts of
        two versions of a file together, and takes a token from ``MAST_API_TOKEN``. Files go to
        the folders that `fetch` puts them in, so that `import_existing` finds them.

        Parameters
        ----------
        observations_or_products, all_levels, product_type
            As in `fetch`.
        check_cancelled : callable, optional

        Returns
        -------
        script : str

        Raises
        ------
        InvalidInput
            If there is nothing to fetch.
        MastError
            If the archive did not say which products there are.
        """
        title = title_of_given(as_given(observations_or_products))
        products = self.products_to_fetch(
            observations_or_products,
            all_levels=all_levels,
            product_type=product_type,
            check_cancelled=check_cancelled,
        )
        if not len(products):
            raise InvalidInput("observations_or_products", title, "it has nothing to fetch")
        plan = self._plan
        return curl_script(
            self.server,
            title,
            plan.items_of(products),
            self._archive.download_url,
            self.download_dir,
        )

    def products_to_fetch(
        self,
        observations_or_products,
        *,
        all_levels=False,
        product_type="SCIENCE",
        check_cancelled=None,
    ):
        """Return the products that `fetch` would download, a `~astropy.table.Table`.

        Parameters
        ----------
        observations_or_products, all_levels, product_type
            As in `fetch`.
        check_cancelled : callable, optional

        Raises
        ------
        InvalidInput, ObservationNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        given = observations_or_products
        (kind,) = as_given(given)
        if kind == "products":
            return Table(given) if isinstance(given, Row) else given
        found = as_observations(self._archive, given, check_cancelled)
        return self.products(
            found,
            all_levels=all_levels or (kind == "observation_id" and is_exposure(found)),
            product_type=product_type,
            check_cancelled=check_cancelled,
        )

    def manifest(self, job_id=None):
        """Return the manifest of an import: what was asked, which files, in which version.

        It was written when the import ended, beside its files, and stays when the import is
        removed from the list. Rows of the archive are those that the library has by now.

        Parameters
        ----------
        job_id : str, optional
            ``id`` of one of `jobs`, by default the newest.

        Returns
        -------
        manifest : `~jdaviz_mast.library.Manifest`
            `~jdaviz_mast.library.Manifest.write` writes it in several formats.

        Raises
        ------
        InvalidInput
            If there is no such import.
        """
        if job_id is None:
            jobs = self.jobs
            if not jobs:
                allowed = f"there are no imports into {self.download_dir} yet"
                raise InvalidInput("job_id", None, allowed)
            job_id = jobs[-1].id
        library = self.library
        kept = kept_manifest(self.download_dir, job_id, library)
        return (
            make_manifest(self.download_dir, self._job(job_id), library) if kept is None else kept
        )

    def keep_layers(self, job, layers):
        """Keep which layers a viewer made of an import, for `manifest` and `replay`.

        Parameters
        ----------
        job : `~jdaviz_mast.ImportJob`
        layers : list of dict
            ``label`` and ``uri`` (``dataURI``) of each, in their order.
        """
        keep_layers(self.download_dir, job, layers)

    def replay(self, manifest, *, source=None, block=True, executor=None):
        """Make an import again from its manifest, and compare each file with it.

        The same products are fetched by their URIs, from the configured archive and nowhere
        else, into the download folder; what is there already is not fetched.

        Parameters
        ----------
        manifest : `~jdaviz_mast.library.Manifest`, dict or path-like
            What `manifest` returned, or the path of a JSON file of it. It is checked against the
            schema, since it may come from anybody.
        source, block, executor
            As in `fetch`. Without ``block``, `~jdaviz_mast.library.Replay.verify` waits and
            compares.

        Returns
        -------
        replay : `~jdaviz_mast.library.Replay`
            ``replay.files`` tells of each file whether it is the same, reprocessed since, gone or
            not permitted; ``replay.job`` is a job like any other.

        Raises
        ------
        InvalidInput
            If it is not a manifest, or lists no file.
        FileProblem
            If it cannot be read, or the download folder cannot be written to.
        """
        manifest = Manifest.read(manifest)
        abouts = abouts_of(manifest)
        check_executor(executor)
        choice = manifest.content["choice"]
        request = choice | {
            "server": self.server,
            "source": check_source(source or conf.source, self.server),
            "title": f"{one_line(manifest.title).removesuffix(_AGAIN)}{_AGAIN}",
            "query": manifest.queries[0]["arguments"] if len(manifest.queries) == 1 else None,
            "queries": manifest.queries,
            "shown_with": manifest.content.get("shown_with"),
            "replay_of": manifest.job_id,
        }
        remove_old(self.download_dir)
        record = Record.create(self.download_dir, request, None)
        record.keep_files(abouts)
        job = self._start(record, executor, block)
        replay = Replay(manifest, job, lambda: self.library, plain_server(self.server))
        if block:
            replay.verify()
        return replay


def check_source(source, server):
    """Return where files are to come from; `InvalidInput` if that is not possible."""
    if source not in ("auto", "http", "s3"):
        raise InvalidInput("source", source, "choose 'auto', 'http' or 's3'")
    if source == "s3" and bucket_address(server) is None:
        allowed = "choose 'auto' or 'http': this archive has no public bucket"
        raise InvalidInput("source", source, allowed)
    return source


def check_executor(executor):
    """Raise `InvalidInput` if it does not execute anything."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        allowed = "give a concurrent.futures.Executor, or leave it out"
        raise InvalidInput("executor", type(executor).__name__, allowed)
