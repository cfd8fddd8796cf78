"""The command ``jdaviz-mast``: its arguments, its exit codes."""

import argparse
import contextlib
import os
import re
import sys

from jdaviz_mast.cli.completion import PrintCompletion
from jdaviz_mast.config import conf
from jdaviz_mast.errors import (
    ArchiveTimeout,
    ArchiveUnreachable,
    InvalidInput,
    MastError,
    ObservationNotFound,
    TargetNotFound,
)

__all__ = ["EXIT_CODES", "main"]

OK, FAILED, BAD_INPUT, NOTHING_FOUND, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130

EXIT_CODES = f"""\
exit codes:
  {OK}    all is well
  {FAILED}    the archive answered with an error, or a file could not be fetched whole
  {BAD_INPUT}    an argument is not usable
  {NOTHING_FOUND}    the archive holds nothing that matches
  {UNREACHABLE}    the archive cannot be reached, or does not answer in time
  {INTERRUPTED}  stopped with Ctrl-C"""


class _Plain:
    """A stream without what a terminal would take for a command, whoever wrote it."""

    _COMMANDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        return self._stream.write(self._COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text))

    def __getattr__(self, name):
        return getattr(self._stream, name)


def main(arguments=None):
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    with (
        contextlib.redirect_stdout(_Plain(sys.stdout)),
        contextlib.redirect_stderr(_Plain(sys.stderr)),
    ):
        return _main(options)


def _main(options):
    try:
        code = _run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has what it wants
        # Python flushes once more at the end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except MastError as error:
        print(f"jdaviz-mast: {error}", file=sys.stderr)
        return _exit_code(error)
    except KeyboardInterrupt:
        print("\njdaviz-mast: stopped", file=sys.stderr)
        return INTERRUPTED
    return code


def _run(options):
    # The rooms are heavy: only what a command needs is imported.
    if options.command == "search":
        from jdaviz_mast.cli.data import search

        return OK if search(options) else NOTHING_FOUND
    if options.command == "products":
        from jdaviz_mast.cli.products import products

        return OK if products(options) else NOTHING_FOUND
    if options.command == "keywords":
        from jdaviz_mast.cli.data import keywords

        return OK if keywords(options) else NOTHING_FOUND
    if options.command == "preview":
        from jdaviz_mast.cli.data import preview

        preview(options)
        return OK
    if options.command == "jobs":
        from jdaviz_mast.cli.data import jobs

        return OK if jobs(options) else NOTHING_FOUND
    if options.command == "library":
        from jdaviz_mast.cli.library import library

        return library(options)
    if options.command in ("refresh", "provenance", "cite"):
        from jdaviz_mast.cli import origin

        return getattr(origin, options.command)(options)
    if options.command in ("fetch", "resume"):
        from jdaviz_mast.cli import data

        return getattr(data, options.command)(options)
    if options.command == "manifest":
        from jdaviz_mast.cli.trail import manifest

        manifest(options)
        return OK
    if options.command in ("replay", "curl-script"):
        from jdaviz_mast.cli import trail

        return getattr(trail, options.command.replace("-", "_"))(options)
    from jdaviz_mast.cli.app import run

    run(options)
    return OK


def _exit_code(error):
    if isinstance(error, InvalidInput):
        return BAD_INPUT
    if isinstance(error, (TargetNotFound, ObservationNotFound)):
        return NOTHING_FOUND
    if isinstance(error, (ArchiveUnreachable, ArchiveTimeout)):
        return UNREACHABLE
    return FAILED


def _parser():
    parser = argparse.ArgumentParser(
        prog="jdaviz-mast",
        description="Search the MAST archive and show its images in jdaviz. Without a command, "
        "the viewer opens on MAST itself.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--print-completion", choices=("bash", "zsh", "tcsh"), action=PrintCompletion,
        default=argparse.SUPPRESS, help="print what the shell needs to complete commands",
    )  # fmt: skip
    _server_options(parser)
    _viewer_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="command")

    def command(name, text):
        # Options may stand before the command, too: what is not given behind it is left out
        # of the result, else its default would hide what stood before.
        return commands.add_parser(name, help=text, argument_default=argparse.SUPPRESS)

    app = command("app", "open the viewer on MAST (the default)")
    _server_options(app)
    _viewer_options(app)
    demo = command("demo", "open the viewer on an archive of its own; works without internet")
    _viewer_options(demo)
    search = command("search", "print what the archive holds")
    _server_options(search)
    _data_options(search)
    _search_options(search)
    products = command("products", "list an observation's products, and what a fetch would take")
    keywords = command("keywords", "list the keywords that JWST's data can be searched by")
    _server_options(keywords)
    keywords.add_argument("words", nargs="*", help="words of their names or descriptions")
    keywords.add_argument("--json", action="store_true", help=_JSON)
    search.add_argument(
        "--region", metavar="'POLYGON …'", help="what truly overlaps it, the best first; STC-S"
    )
    preview = command("preview", "save the picture of an observation")
    _server_options(preview)
    preview.add_argument("observation_id", metavar="OBSERVATION_ID")
    preview.add_argument("--output", metavar="FILE", help="[OBSERVATION_ID_preview.jpg]")
    preview.add_argument("--json", action="store_true", help=_JSON)
    fetch = command("fetch", "download an observation's products")
    for one in (products, fetch):
        _server_options(one)
        _data_options(one)
        _choice_options(one)
    _source_option(fetch)
    jobs = command("jobs", "list the imports of a download folder")
    jobs.add_argument("--download-dir", help=_FOLDER)
    jobs.add_argument("--json", action="store_true", help=_JSON)
    jobs.add_argument(
        "--remove", nargs="+", metavar="JOB_ID", help="forget these first; whole files stay"
    )
    library = command("library", "list what is on disk and where it came from, or verify it")
    library.add_argument("words", nargs="*", help="that all occur: target, filter, program, name …")
    library.add_argument("--download-dir", help=_FOLDER)
    library.add_argument("--json", action="store_true", help=_JSON)
    library.add_argument("--verify", action="store_true", help="compare checksums with the disk")
    library.add_argument(
        "--remove", nargs="+", metavar="URI", help="delete these files first; names will do, too"
    )
    resume = command("resume", "go on with an import that was stopped, or has failed files")
    _server_options(resume)
    resume.add_argument("job_id", nargs="?", metavar="JOB_ID", help="[the last not complete]")
    resume.add_argument("--download-dir", help=_FOLDER)
    resume.add_argument("--json", action="store_true", help=_JSON)

    _origin_commands(command)
    _trail_commands(command)

    parser.set_defaults(host="localhost", allow_host=(), require_key=False, no_browser=False)
    parser.set_defaults(
        bibtex=False, fetch=False, prov=None, observation_ids=(), subject=None,
        command="app", layout="app", theme="light", port=0,
        all_levels=False, json=False, product_type="SCIENCE",
        target=None, coordinates=None, observation_id=None, program_id=None,
        radius="0.1 deg", mission=None, source=None, job_id=None, remove=(),
        kind=None, level=None, suffix=None, recommended=False, clutter=False, made_of=False,
        dataset_id=None, instrument=None, filters=None, wavelength=None, date=None,
        exposure_time=None, data_type=None, rights=None, author=None, doi=None, keyword=None,
        count=False, words=(), region=None, output=None, format=None, verify=False,
    )  # fmt: skip
    return parser


def _origin_commands(command):
    refresh = command("refresh", "ask again for what MAST says of the data that are here")
    refresh.add_argument("observation_id", nargs="?", metavar="OBSERVATION_ID", help="[all]")
    refresh.add_argument(
        "--fetch", action="store_true", help="fetch what was reprocessed beside the old files"
    )
    provenance = command("provenance", "print where a file or an observation comes from")
    provenance.add_argument("subject", metavar="WHAT", help="a file, a URI or an observation ID")
    provenance.add_argument("--prov", metavar="FILE", help="write it as the W3C's PROV-JSON")
    cite = command("cite", "print the acknowledgement and what to cite")
    cite.add_argument(
        "observation_ids", nargs="*", metavar="OBSERVATION_ID", help="[all that is here]"
    )
    cite.add_argument("--bibtex", action="store_true", help="print the BibTeX entries")
    for one in (refresh, provenance, cite):
        _server_options(one)
        one.add_argument("--download-dir", help=_FOLDER)
        one.add_argument("--json", action="store_true", help=_JSON)


_FOLDER = "folder that files go to"
_JSON = "print JSON for scripts"


def _trail_commands(command):
    manifest = command("manifest", "print what an import was: query, files, versions, checksums")
    _server_options(manifest)
    manifest.add_argument("job_id", nargs="?", metavar="JOB_ID", help="[the newest]")
    manifest.add_argument(
        "--format", choices=("json", "ecsv", "csv", "votable", "html", "cell"),
        help="[what the name of the file says, or json]",
    )  # fmt: skip
    manifest.add_argument(
        "--cell", action="store_const", const="cell", dest="format",
        help="the lines of a notebook that do the same again",
    )  # fmt: skip
    manifest.add_argument("--output", metavar="FILE", help="[standard output]")
    replay = command("replay", "make an import again from its manifest, and compare")
    _server_options(replay)
    replay.add_argument("file", metavar="FILE", help="a manifest as JSON")
    script = command("curl-script", "print a bash script that fetches products with cURL")
    _server_options(script)
    _data_options(script)
    _choice_options(script, several=True)
    for one in (manifest, replay):
        one.add_argument("--download-dir", help=_FOLDER)
        one.add_argument("--json", action="store_true", help=_JSON)
    _source_option(replay)


def _source_option(parser):
    parser.add_argument(
        "--source", choices=("auto", "http", "s3"),
        help=f"the archive (http), MAST's public bucket (s3), or both [{conf.source}]",
    )  # fmt: skip


def _search_options(search):
    add = search.add_argument
    add("target", nargs="?", help="name of an object, such as 'NGC 3132'; several with commas")
    add("--coordinates", metavar="'RA DEC'", help="ICRS, degrees or sexagesimal")
    add("--observation-id", metavar="ID")
    add("--program-id", metavar="NUMBER")
    add("--dataset-id", metavar="ID", help="such as jw02733001001_02101_00001")
    add("--doi", help="of a collection of light curves")
    add("--radius", help="such as '2 arcmin' [0.1 deg]")
    add("--mission", help="such as JWST or HST")
    add("--instrument", help="such as NIRCAM or WFC3/UVIS")
    add("--filter", dest="filters", help="such as F444W")
    add("--wavelength", nargs=2, metavar=("FROM", "TO"),
        help="such as '1 um' '2 um'; '' for an open end")  # fmt: skip
    add("--date", nargs=2, metavar=("FROM", "TO"),
        help="UTC, such as 2022-06 2022-07-14; '' for an open end")  # fmt: skip
    add("--exposure-time", nargs=2, metavar=("FROM", "TO"), help="seconds; '' for an open end")
    add("--data-type", help="such as image, spectrum, cube or timeseries")
    add("--rights", help="public or exclusive")
    add("--author", help="pipeline or team, such as SPOC or QLP")
    add("--keyword", action="append", metavar="NAME=VALUE",
        help="of JWST, such as exp_type=NRC_IMAGE; may be repeated")  # fmt: skip
    add("--count", action="store_true", help="print only how many there are")


def _server_options(parser):
    parser.add_argument("--server", help=f"address of the archive [{conf.server}]")


def _viewer_options(parser):
    parser.add_argument("--download-dir", help=_FOLDER)
    parser.add_argument("--layout", choices=("app", "imviz", "cubeviz"), help="viewer [app]")
    parser.add_argument("--port", type=int, help="port of the page [any free one]")
    parser.add_argument(
        "--host", help="address to serve on; 0.0.0.0 for all, with a key [this machine alone]"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        metavar="NAME",
        help="another name that this machine is called by; may be repeated",
    )
    parser.add_argument(
        "--require-key", action="store_true",
        help="ask for a key on this machine, too, if others use it",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the addresses as JSON")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--theme", choices=("light", "dark"), help="[light]")


def _data_options(parser):
    parser.add_argument(
        "--all-levels", action="store_true", help="all calibration levels, not level 3 only"
    )
    parser.add_argument("--json", action="store_true", help=_JSON)


def _choice_options(parser, several=False):
    if several:
        parser.add_argument("observation_ids", metavar="OBSERVATION_ID", nargs="+")
    else:
        parser.add_argument("observation_id", metavar="OBSERVATION_ID")
    parser.add_argument("--download-dir", help=_FOLDER)
    parser.add_argument("--product-type", help="MAST's productType, or 'all' [SCIENCE]")
    parser.add_argument("--suffix", type=_several, help="such as i2d, or cal,rate")
    parser.add_argument("--level", type=_several_numbers, help="calibration levels, such as 2,3")
    parser.add_argument("--kind", type=_several, help="such as 'image' or '1D spectrum,image'")
    parser.add_argument(
        "--recommended", action="store_true", help="only MAST's Minimum Recommended Products"
    )
    parser.add_argument(
        "--clutter", action="store_true", help="guide-star and ancillary files, too"
    )
    parser.add_argument(
        "--made-of", action="store_true",
        help="the exposures that it was made of, and their raw data, instead of its own products",
    )  # fmt: skip


def _several(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def _several_numbers(text):
    return [int(part) for part in _several(text)]
