"""The part of the front door that traces: fresh rows, new versions, provenance and citations."""

from jdaviz_mast.config import conf
from jdaviz_mast.credit import citations
from jdaviz_mast.freshness import new_version, refresh_metadata
from jdaviz_mast.provenance import provenance
from jdaviz_mast.reproducing import check_source
from jdaviz_mast.transfer import Record

__all__ = ["Traceable"]


class Traceable:
    """What `jdaviz_mast.Mast` says of data that are here: if they are fresh, and their origin."""

    def refresh_metadata(self, observation_id=None, *, held=(), check_cancelled=None):
        """Fetch the archive's rows anew, and put them in the place of those that are kept.

        Parameters
        ----------
        observation_id : str, optional
            MAST's ``obs_id``, or its number ``obsid``; by default all that the library holds.
        held : iterable of `jdaviz_mast.library.Held`
            What is held besides, such as by layers.
        check_cancelled : callable, optional
            Called now and then; what it raises ends it, and nothing is changed.

        Returns
        -------
        report : `jdaviz_mast.library.RefreshReport`
            Per observation and column the old value and the new; ``report.updates`` is what the
            archive has reprocessed or made public since it was fetched. ``print(report)`` says it
            in sentences.

        Raises
        ------
        ObservationNotFound
            If nothing of the observation is held.
        ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        return refresh_metadata(self, observation_id, held, check_cancelled)

    def fetch_new_version(self, uri, *, block=True):
        """Fetch a product that the archive has reprocessed, beside the file that is there.

        It goes to ``<mission>/<obs_id>/<version>``; nothing that is there is changed.

        Parameters
        ----------
        uri : str
            ``dataURI`` of a file of the library.
        block : bool
            As in `fetch`.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`

        Raises
        ------
        InvalidInput
            If the library has no such file, or the archive no other version of it.
        ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        about = new_version(self, uri)
        name = about["product"].get("productFilename") or uri.rsplit("/", 1)[-1]
        request = {
            "server": self.server,
            "source": check_source(conf.source, self.server),
            "title": f"{name}, version {about['version']}",
        }
        record = Record.create(self.download_dir, request, None)
        record.keep_files([about])
        return self._start(record, None, block)

    def provenance(self, subject, *, exposures=True, check_cancelled=None):
        """Return where something came from, back to its raw exposures.

        Parameters
        ----------
        subject : layer, path-like, str, `~astropy.table.Row` or dict
            A layer (an element of ``app.data_collection``) or its metadata; a file of the library
            or its ``dataURI``; an observation ID; or one row of what `search` or `products`
            returned.
        exposures : bool
            Whether the archive is asked what a combined product was made of, see `ladder`.
        check_cancelled : callable, optional

        Returns
        -------
        provenance : `~jdaviz_mast.library.Provenance`
            A tree: layer, file, product, observation, program with its investigator, DOI where the
            archive has one, and the exposures down to raw data. ``print(provenance)`` draws it,
            ``to_prov()`` and ``write(path)`` give it in the W3C's PROV. What could not be found out
            is in ``notes``.

        Raises
        ------
        InvalidInput
            If it is nothing of the archive's, or not in the library.
        ObservationNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
            If an observation ID was given, and the archive did not give its row.
        """
        return provenance(self, subject, exposures, check_cancelled)

    def citations(self, subjects=None, *, check_cancelled=None):
        """Return what to acknowledge and to cite: missions, archive, programs, software.

        Parameters
        ----------
        subjects : str, `~astropy.table.Table`, layer, or a list of these, optional
            Observation IDs, rows that `search` returned, or layers; by default all that the
            library holds. IDs that the library holds need no network.
        check_cancelled : callable, optional

        Returns
        -------
        citations : `~jdaviz_mast.library.Citations`
            ``text`` is the acknowledgement, in the words that missions and archive ask for;
            ``bibtex`` the entries; ``advice`` what is left to do.

        Raises
        ------
        InvalidInput
        ObservationNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
            If the library does not hold an observation, and the archive did not give its row.
        """
        return citations(self, subjects, check_cancelled)
