"""Where the public S3 bucket keeps a product, and the curl script for a list of them."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

__all__ = ["BUCKET", "bundle", "key_of", "listing"]

BUCKET = "stpubdata"


def key_of(uri):
    """Key of a ``mast:`` URI in the bucket, as path_lookup answers it without the slash.

    JWST's combined products lie under ``L3/t/<observation or candidate>``, its exposures
    under their visit; HST's under the first four characters of the root name.
    """
    collection, name = re.match(r"mast:(\w+)/(?:.*/)?([^/]+)$", uri).groups()
    collection = collection.lower()
    if combined := re.match(r"(jw\d{5})-([oc]\d+)", name):
        return f"jwst/public/{combined[1]}/L3/t/{combined[2]}/{name}"
    if exposure := re.match(r"((jw\d{5})\d{6})", name):
        return f"jwst/public/{exposure[2]}/{exposure[1]}/{name}"
    if associated := re.match(r"(jw\d{5})_", name):
        return f"jwst/public/{associated[1]}/{name}"
    if collection == "hst":
        root = name.split("_")[0]
        return f"hst/public/{root[:4]}/{root}/{name}"
    if target := re.match(r"tess\d+-s(\d{4})-(\d{16})", name):
        parts = "/".join(target[2][i : i + 4] for i in range(0, 16, 4))
        return f"tess/public/tid/s{target[1]}/{parts}/{name}"
    return f"{collection}/public/{name}"


def listing(keys, prefix):
    """S3's XML answer to a request for the keys under `prefix`."""
    entries = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in sorted(keys))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix>"
        f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>{entries}"
        "</ListBucketResult>"
    ).encode()


def bundle(uris, host):
    """Shell script that downloads `uris` from `host` with curl."""
    lines = ["#!/bin/bash", 'DOWNLOAD_FOLDER="MAST"', 'mkdir -p "$DOWNLOAD_FOLDER"', ""]
    for uri in uris:
        name = re.sub(r"[^\w.\-]", "_", uri.rsplit("/", 1)[-1])
        quoted = re.sub(r"[^\w:/.\-]", "", uri)
        lines.append(
            "curl --globoff --location-trusted -f --progress-bar --create-dirs "
            f'--output "$DOWNLOAD_FOLDER/{name}" '
            f"'http://{host}/api/v0.1/Download/file?uri={quoted}'"
        )
    return ("\n".join(lines) + "\n").encode()
