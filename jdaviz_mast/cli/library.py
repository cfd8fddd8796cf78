"""``jdaviz-mast library``: what is on disk, where it came from, and whether it still is that."""

import json
import sys

from tqdm import tqdm

from jdaviz_mast.mast import Mast
from jdaviz_mast.words import bytes_in_words, counted

__all__ = ["library"]


def library(options):
    """List, verify or remove files of the library; return the exit code."""
    from jdaviz_mast.cli.main import FAILED, NOTHING_FOUND, OK

    kept = Mast(None, options.download_dir).library
    for uri in options.remove:
        kept.remove(uri)
    text = " ".join(options.words)
    if options.verify:
        return FAILED if _verify(kept, text, options) else OK
    files = kept.files(text)
    if options.json:
        print(json.dumps([file.as_dict() for file in files], indent=1))
    else:
        for file in files:
            _print(file)
        if files:
            total = bytes_in_words(sum(f.size for f in files))
            print(f"{counted(len(files), 'file')}, {total}", file=sys.stderr)
        else:
            what = f"that matches {text!r}" if text else "yet"
            print(f"There is nothing in {kept.folder} {what}.", file=sys.stderr)
    return OK if files else NOTHING_FOUND


def _verify(kept, text, options):
    """Print what is not what was fetched; return how many files that are."""
    files = kept.files(text, gone=True)
    checked, report = kept.verify([file.path for file in files]), []
    quiet = options.json or not sys.stderr.isatty()
    with tqdm(total=sum(f.size for f in files), unit="B", unit_scale=True, disable=quiet) as bar:
        for file, problem in checked:
            report.append((file, problem))
            bar.update(file.size)
    wrong = [(file, problem) for file, problem in report if problem]
    if options.json:
        print(json.dumps([f.as_dict() | {"problem": p or None} for f, p in report], indent=1))
        return len(wrong)
    for file, problem in wrong:
        print(f"{file.path}: {problem}")
    print(f"{len(report) - len(wrong):,} of {len(report):,} files are what was fetched.",
          file=sys.stderr)  # fmt: skip
    return len(wrong)


def _print(file):
    of = file.observation
    taken = "/".join(str(of[c]) for c in ("instrument_name", "filters") if of.get(c))
    version = file.versions.get("PRVVERSION") or file.versions.get("CAL_VER") or ""
    when = file.fetched_at[:16].replace("T", " ")
    target = of.get("target_name") or ""
    size = bytes_in_words(file.size)
    print(f"{when}  {size:>7}  {target:16}  {taken:24}  {version:8}  {file.path}")
