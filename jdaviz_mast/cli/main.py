"""The command ``jdaviz-mast``: its arguments, its exit codes."""

import argparse
import os
import sys

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


def main(arguments=None):
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
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
    if options.command == "preview":
        from jdaviz_mast.cli.data import preview

        preview(options)
        return OK
    if options.command == "jobs":
        from jdaviz_mast.cli.data import jobs

        return OK if jobs(options) else NOTHING_FOUND
    if options.command in ("fetch", "resume"):
        from jdaviz_mast.cli import data

        return getattr(data, options.command)(options)
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
    search.add_argument("target", nargs="?", help="name of an object, such as 'NGC 3132'")
    search.add_argument("--coordinates", metavar="'RA DEC'", help="ICRS, degrees or sexagesimal")
    search.add_argument("--observation-id", metavar="ID")
    search.add_argument("--program-id", metavar="NUMBER")
    search.add_argument("--radius", help="such as '2 arcmin' [0.1 deg]")
    search.add_argument("--mission", help="such as JWST or HST")
    search.add_argument(
        "--region", metavar="'POLYGON …'", help="what truly overlaps it, the best first; STC-S"
    )
    preview = command("preview", "save the picture of an observation")
    _server_options(preview)
    preview.add_argument("observation_id", metavar="OBSERVATION_ID")
    preview.add_argument("--output", metavar="FILE", help="[OBSERVATION_ID_preview.jpg]")
    fetch = command("fetch", "download an observation's products")
    _server_options(fetch)
    _data_options(fetch)
    fetch.add_argument("observation_id", metavar="OBSERVATION_ID")
    fetch.add_argument("--download-dir", help=_FOLDER)
    fetch.add_argument("--product-type", help="MAST's productType [SCIENCE]")
    fetch.add_argument(
        "--source", choices=("auto", "http", "s3"),
        help=f"the archive (http), MAST's public bucket (s3), or both [{conf.source}]",
    )  # fmt: skip
    jobs = command("jobs", "list the imports of a download folder")
    jobs.add_argument("--download-dir", help=_FOLDER)
    jobs.add_argument("--json", action="store_true", help=_JSON)
    jobs.add_argument(
        "--remove", nargs="+", metavar="JOB_ID", help="forget these first; whole files stay"
    )
    resume = command("resume", "go on with an import that was stopped, or has failed files")
    _server_options(resume)
    resume.add_argument("job_id", nargs="?", metavar="JOB_ID", help="[the last not complete]")
    resume.add_argument("--download-dir", help=_FOLDER)
    resume.add_argument("--json", action="store_true", help=_JSON)

    parser.set_defaults(
        command="app", layout="app", theme="light", port=0,
        all_levels=False, json=False, product_type="SCIENCE",
        target=None, coordinates=None, observation_id=None, program_id=None,
        radius="0.1 deg", mission=None, source=None, job_id=None, remove=(),
        region=None, output=None,
    )  # fmt: skip
    return parser


_FOLDER = "folder that files go to"
_JSON = "print JSON for scripts"


def _server_options(parser):
    parser.add_argument("--server", help=f"address of the archive [{conf.server}]")


def _viewer_options(parser):
    parser.add_argument("--download-dir", help=_FOLDER)
    parser.add_argument("--layout", choices=("app", "imviz", "cubeviz"), help="viewer [app]")
    parser.add_argument("--port", type=int, help="port of the page [any free one]")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--theme", choices=("light", "dark", "auto"), help="[light]")


def _data_options(parser):
    parser.add_argument(
        "--all-levels", action="store_true", help="all calibration levels, not level 3 only"
    )
    parser.add_argument("--json", action="store_true", help=_JSON)
