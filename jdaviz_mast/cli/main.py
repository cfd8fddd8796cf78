"""The command ``jdaviz-mast``: its arguments, its exit codes."""

import argparse
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
    # The rooms are heavy: only what a command needs is imported.
    try:
        if options.command == "search":
            from jdaviz_mast.cli.data import search

            return OK if search(options) else NOTHING_FOUND
        if options.command == "fetch":
            from jdaviz_mast.cli.data import fetch

            return fetch(options)
        from jdaviz_mast.cli.app import run

        run(options)
    except MastError as error:
        print(f"jdaviz-mast: {error}", file=sys.stderr)
        return _exit_code(error)
    except KeyboardInterrupt:
        print("\njdaviz-mast: stopped", file=sys.stderr)
        return INTERRUPTED
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
    server = argparse.ArgumentParser(add_help=False)
    server.add_argument("--server", default=None, help=f"address of the archive [{conf.server}]")
    files = argparse.ArgumentParser(add_help=False)
    files.add_argument("--download-dir", default=None, help="folder that files go to")
    levels = argparse.ArgumentParser(add_help=False)
    levels.add_argument(
        "--all-levels", action="store_true", help="all calibration levels, not level 3 only"
    )
    levels.add_argument("--json", action="store_true", help="print JSON for scripts")
    viewer = argparse.ArgumentParser(add_help=False)
    viewer.add_argument(
        "--layout", choices=("app", "imviz", "cubeviz"), default="app", help="viewer [app]"
    )
    viewer.add_argument("--port", type=int, default=0, help="port of the page [any free one]")
    viewer.add_argument("--no-browser", action="store_true", help="do not open a browser")
    viewer.add_argument("--theme", choices=("light", "dark", "auto"), default="light")

    parser = argparse.ArgumentParser(
        prog="jdaviz-mast",
        description="Search the MAST archive and show its images in jdaviz. Without a command, "
        "the viewer opens on MAST itself.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[server, files, viewer],
    )
    parser.set_defaults(command="app")
    commands = parser.add_subparsers(dest="command", metavar="command")
    parser.set_defaults(command="app")

    commands.add_parser(
        "app", parents=[server, files, viewer], help="open the viewer on MAST (the default)"
    )
    commands.add_parser(
        "demo",
        parents=[files, viewer],
        help="open the viewer on an archive of its own; works without internet",
    )
    search = commands.add_parser(
        "search", parents=[server, levels], help="print what the archive holds"
    )
    search.add_argument("target", nargs="?", help="name of an object, such as 'NGC 3132'")
    search.add_argument("--coordinates", metavar="'RA DEC'", help="ICRS, degrees or sexagesimal")
    search.add_argument("--observation-id", metavar="ID")
    search.add_argument("--program-id", metavar="NUMBER")
    search.add_argument("--radius", default="0.1 deg", help="such as '2 arcmin' [0.1 deg]")
    search.add_argument("--mission", help="such as JWST or HST")
    fetch = commands.add_parser(
        "fetch", parents=[server, files, levels], help="download an observation's products"
    )
    fetch.add_argument("observation_id", metavar="OBSERVATION_ID")
    fetch.add_argument("--product-type", default="SCIENCE", help="MAST's productType [SCIENCE]")
    return parser
