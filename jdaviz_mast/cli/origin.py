"""``jdaviz-mast`` with ``refresh``, ``provenance`` and ``cite``."""

import json
import sys

from jdaviz_mast.cli.data import follow
from jdaviz_mast.mast import Mast

__all__ = ["cite", "provenance", "refresh"]


def refresh(options):
    """Print what has changed of the rows that are kept; return the exit code."""
    from jdaviz_mast.cli.main import FAILED, NOTHING_FOUND, OK

    mast = Mast(options.server, options.download_dir)
    report = mast.refresh_metadata(options.observation_id)
    if not report.observations:
        print(f"The library of {mast.download_dir} is empty.", file=sys.stderr)
        return NOTHING_FOUND
    about, codes = report.as_dict(), [OK]
    if not options.json:
        print(report)
    if options.fetch:
        about["fetched"] = []
        for update in report.updates:
            if update.kind == "reprocessed":
                job = mast.fetch_new_version(update.uri, block=options.json)
                if options.json:
                    files = [str(file.path) for file in job.files if file.state == "complete"]
                    about["fetched"] += files
                    codes.append(OK if job.state == "complete" else FAILED)
                else:
                    codes.append(follow(job, options))
    if options.json:
        print(json.dumps(about, indent=1))
    return max(codes)


def provenance(options):
    """Print where something comes from; return the exit code."""
    from jdaviz_mast.cli.main import OK

    found = Mast(options.server, options.download_dir).provenance(options.subject)
    if options.prov:
        print(found.write(options.prov), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(found.as_dict(), indent=1))
    elif not options.prov:
        print(found)
    return OK


def cite(options):
    """Print what to acknowledge and to cite; return the exit code."""
    from jdaviz_mast.cli.main import OK

    mast = Mast(options.server, options.download_dir)
    found = mast.citations(list(options.observation_ids) or None)
    if options.json:
        print(json.dumps(found.as_dict(), indent=1))
    elif options.bibtex:
        print(found.bibtex, end="")
    else:
        print(found.text)
        for advice in found.advice:
            print(f"\n{advice}", file=sys.stderr)
    return OK
