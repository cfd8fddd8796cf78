"""``jdaviz-mast`` with ``manifest``, ``replay`` and ``curl-script``."""

import json
import sys

from jdaviz_mast.cli.products import chosen, is_choice
from jdaviz_mast.library import FORMATS
from jdaviz_mast.mast import Mast
from jdaviz_mast.words import one_line

__all__ = ["FORMAT_NAMES", "curl_script", "manifest", "replay"]

FORMAT_NAMES = tuple(dict.fromkeys(FORMATS.values()))


def manifest(options):
    """Print the manifest of an import, or write it to a file."""
    found = Mast(options.server, options.download_dir).manifest(options.job_id)
    format = options.format
    if options.output:
        path = found.write(options.output, format)
        print(json.dumps({"path": str(path)}) if options.json else path)
    else:
        print(found.to_text("json" if options.json else format or "json"), end="")


def replay(options):
    """Make an import again from its manifest, and say what is the same; return the exit code."""
    from jdaviz_mast.cli.data import show_progress
    from jdaviz_mast.cli.main import FAILED, OK

    mast = Mast(options.server, options.download_dir)
    made = mast.replay(options.file, source=options.source, block=False)
    show_progress(made.job, options)
    if made.job.error is not None:
        raise made.job.error
    made.verify()
    if options.json:
        print(json.dumps(made.as_dict(), indent=1))
    else:
        for note in made.notes:
            print(note, file=sys.stderr)
        for file in made.files:
            print(f"{file.verdict:13}  {one_line(file.path or file.uri)}")
            if file.reason:
                print(f"{'':13}  {one_line(file.reason)}", file=sys.stderr)
        print(f"{made.summary}.", file=sys.stderr)
    return OK if made.is_same else FAILED


def curl_script(options):
    """Print a script that fetches the products of observations; return the exit code."""
    from jdaviz_mast.archive import join_products
    from jdaviz_mast.cli.main import NOTHING_FOUND, OK

    mast = Mast(options.server, options.download_dir)
    wanted = []
    for observation_id in options.observation_ids:
        options.observation_id = observation_id
        if is_choice(options):
            wanted.append(chosen(mast, options))
        else:
            wanted.append(mast.products_to_fetch(
                observation_id, all_levels=options.all_levels, product_type=options.product_type
            ))  # fmt: skip
    products = join_products(wanted)
    if not len(products):
        print("No product of these observations matches.", file=sys.stderr)
        return NOTHING_FOUND
    script = mast.curl_script(products)
    if options.json:
        print(json.dumps({"files": len(products), "script": script}))
    else:
        print(script, end="")
    return OK
