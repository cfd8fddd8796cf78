"""The manifest of an import: read, checked against its schema, and written in several formats."""

import functools
import json
import re
from importlib import resources
from pathlib import Path

from jdaviz_mast.errors import FileProblem, InvalidInput
from jdaviz_mast.library import cell, manifest_page, manifest_tables
from jdaviz_mast.transfer import STATE_FOLDER

__all__ = ["FORMATS", "Manifest", "manifest_path", "schema"]

#: Formats that a manifest is written in, by the suffix of the file.
FORMATS = {".json": "json", ".ecsv": "ecsv", ".csv": "csv", ".vot": "votable",
           ".votable": "votable", ".xml": "votable", ".html": "html", ".py": "cell"}  # fmt: skip

#: Bytes of a manifest that are read; one of 100,000 products has a third of it.
_LARGEST = 400_000_000
_ID = re.compile(r"[0-9a-f]{12}")


@functools.cache
def schema():
    """Return the JSON Schema (draft 2020-12) of a manifest, a dict."""
    return json.loads((resources.files(__package__) / "manifest.schema.json").read_text("utf-8"))


def manifest_path(download_dir, job_id):
    """Return where the manifest of a job is kept, a `~pathlib.Path`.

    Raises
    ------
    InvalidInput
        If it is no ID of a job.
    """
    if not isinstance(job_id, str) or not _ID.fullmatch(job_id):
        raise InvalidInput("job_id", job_id, "give the ID of an import, 12 hexadecimal digits")
    return Path(download_dir) / STATE_FOLDER / "manifests" / f"{job_id}.json"


class Manifest:
    """What an import was asked for, which files that meant, and what became of each.

    Parameters
    ----------
    content : dict
        As the schema describes it, see `schema`.

    Attributes
    ----------
    content : dict
        All of it, as JSON: the other attributes are parts of it.

    Raises
    ------
    InvalidInput
        If it is not what the schema describes; the message names the first place.

    Examples
    --------
    >>> manifest = mast.manifest(job.id)  # doctest: +SKIP
    >>> manifest.write("figure_3.ecsv")  # doctest: +SKIP
    """

    def __init__(self, content):
        self.content, self._checked = content, False
        self._check()

    def _check(self):
        # Its import takes seconds, of which most who import a file need none.
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match

        content = self.content
        wrong = best_match(Draft202012Validator(schema()).iter_errors(content))
        if wrong is not None:
            where = "/".join(map(str, wrong.absolute_path)) or "its beginning"
            reason = " ".join(wrong.message.split())[:200]
            raise InvalidInput("manifest", where, f"it is not what the schema says: {reason}")
        for file in content["files"]:
            if (place := file["observation"]) is not None and place >= len(content["observations"]):
                raise InvalidInput("manifest", place, "it has no such observation")
        self._checked = True

    @classmethod
    def own(cls, content):
        """Return a manifest that was written here, without the seconds that a check takes.

        `read` checks it nevertheless, and so does a replay.
        """
        if not isinstance(content, dict) or content.get("version") != 1:
            raise InvalidInput("manifest", "its beginning", "it is not one of jdaviz-mast")
        manifest = cls.__new__(cls)
        manifest.content, manifest._checked = content, False
        return manifest

    def __repr__(self):
        return f"<Manifest of {self.job_id}: {len(self.files)} files>"

    def __eq__(self, other):
        return isinstance(other, Manifest) and self.content == other.content

    __hash__ = None

    @classmethod
    def read(cls, given):
        """Return a manifest.

        Parameters
        ----------
        given : Manifest, dict or path-like
            A manifest, its content, or a JSON file of it.

        Raises
        ------
        InvalidInput
            If it is not a manifest.
        FileProblem
            If the file cannot be read.
        """
        if isinstance(given, cls):
            if not given._checked:
                given._check()
            return given
        if isinstance(given, dict):
            return cls(given)
        try:
            path = Path(given)
        except TypeError:
            allowed = "give a Manifest, its content as a dict, or the path of its JSON file"
            raise InvalidInput("manifest", type(given).__name__, allowed) from None
        return cls(_read(path))

    @classmethod
    def read_own(cls, path):
        """Return what was written to the download folder, see `own`."""
        return cls.own(_read(path))

    # -- what is in it -----------------------------------------------------------------------

    @property
    def job_id(self):
        """ID of the import."""
        return self.content["job"]["id"]

    @property
    def title(self):
        """What was asked for, in a few words."""
        return self.content["job"]["title"]

    @property
    def server(self):
        """Address of the archive that it came from."""
        return self.content["server"]

    @property
    def queries(self):
        """The searches that led to it, a list of dict with ``arguments`` and ``places``."""
        return self.content["queries"]

    @property
    def files(self):
        """The files, a list of dict."""
        return self.content["files"]

    @property
    def failures(self):
        """The files that are not there, a dict of URI to reason."""
        return {
            file["uri"]: file["error"] or file["state"]
            for file in self.files
            if file["state"] != "complete"
        }

    @property
    def layers(self):
        """The layers that a viewer made of it, in their order: a list of dict."""
        return self.content.get("layers", [])

    @property
    def table(self):
        """One row a file, an `~astropy.table.Table` with units and descriptions."""
        return manifest_tables.table_of(self.content)

    def about(self, file):
        """Return the rows of the archive for one of `files`: ``product`` and ``observation``."""
        place = file["observation"]
        observation = {} if place is None else self.content["observations"][place]
        return {"product": file["product"], "observation": observation}

    # -- other forms -------------------------------------------------------------------------

    def to_text(self, format="json"):
        """Return it as text.

        Parameters
        ----------
        format : str
            ``'json'``; ``'ecsv'``, ``'csv'`` or ``'votable'``, one row a file; ``'html'``, a
            page for people; ``'cell'``, the lines of Python that do the same again.

        Raises
        ------
        InvalidInput
            If it is another format.
        """
        if format == "json":
            return json.dumps(self.content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        if format == "html":
            return manifest_page.page_of(self.content)
        if format == "cell":
            return cell.cell_of(self.content)
        if format in manifest_tables.FORMATS:
            return manifest_tables.text_of(self.content, format)
        allowed = f"choose from {', '.join(dict.fromkeys(FORMATS.values()))}"
        raise InvalidInput("format", format, allowed)

    def write(self, path, format=None):
        """Write it to a file.

        Parameters
        ----------
        path : path-like
        format : str, optional
            As `to_text` takes it; by default what the suffix of the file says.

        Returns
        -------
        path : `~pathlib.Path`

        Raises
        ------
        InvalidInput
            If neither format nor suffix says what to write.
        FileProblem
            If the file cannot be written.
        """
        path = Path(path)
        if format is None:
            format = FORMATS.get(path.suffix.lower())
            if format is None:
                allowed = f"give a format, or a name that ends with {', '.join(FORMATS)}"
                raise InvalidInput("path", path.name, allowed)
        text = self.to_text(format)
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise FileProblem(f"{path} cannot be written: {reason}.") from error
        return path

    def _repr_html_(self):
        return manifest_page.body_of(self.content)


def _refused(constant):
    raise ValueError(f"{constant} is no JSON")


def _read(path):
    """Return the JSON of a file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidInput("manifest", path.name, f"it is larger than {_LARGEST:,} bytes")
        return json.loads(path.read_text("utf-8"), parse_constant=_refused)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileProblem(f"The manifest {path} cannot be read: {reason}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("manifest", path.name, "it is not JSON") from error
