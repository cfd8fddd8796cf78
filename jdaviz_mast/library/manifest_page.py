"""A manifest as a page for people: one HTML file that needs no other, without any script."""

from html import escape
from urllib.parse import quote, urlsplit

from jdaviz_mast.archive import portal_link
from jdaviz_mast.errors import InvalidInput

__all__ = ["body_of", "page_of"]

_STYLE = """
.mast-manifest { font-family: system-ui, sans-serif; font-size: 15px; line-height: 1.45; }
.mast-manifest h1 { font-size: 1.5em; margin: 0 0 .2em; overflow-wrap: anywhere; }
.mast-manifest h2 { font-size: 1.15em; margin: 1.6em 0 .4em; }
.mast-manifest dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em;
  margin: 0; }
.mast-manifest dt { opacity: .7; }
.mast-manifest dd { margin: 0; overflow-wrap: anywhere; }
.mast-manifest table { border-collapse: collapse; width: 100%; font-size: .9em; }
.mast-manifest th, .mast-manifest td { text-align: left; vertical-align: top; padding: .35em .6em;
  border-top: 1px solid rgba(128, 128, 128, .35); }
.mast-manifest .number { text-align: right; white-space: nowrap; }
.mast-manifest td:first-child { overflow-wrap: anywhere; }
.mast-manifest code { font-size: .9em; overflow-wrap: anywhere; }
.mast-manifest .bad { color: #b3261e; font-weight: 600; }
.mast-manifest .dim { opacity: .7; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 70em; margin: 2em auto; padding: 0 1em; }}
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""

_NAMES = {"all_levels": "all levels", "product_type": "product type", "source": "source"}


def page_of(content):
    """Return the whole page."""
    title = escape(f"Import {content['job']['id']}: {content['job']['title']}")
    return _PAGE.format(title=title, style=_STYLE, body=_body(content))


def body_of(content):
    """Return what a notebook shows of a manifest."""
    return f"<style>{_STYLE}</style>{_body(content)}"


def _body(content):
    job, files = content["job"], content["files"]
    whole = [file for file in files if file["state"] == "complete"]
    size = sum(file["size"] or 0 for file in whole)
    facts = [
        ("state", escape(job["state"])),
        ("asked for", _when(job["created"])),
        ("archive", escape(content["server"])),
        ("files", escape(f"{len(whole):,} of {len(files):,}, {size:,} bytes")),
    ]
    if job["error"]:
        facts.append(("error", f'<span class="bad">{escape(job["error"])}</span>'))
    facts += [("note", escape(note)) for note in job["notes"]]
    facts += [("DOI", _doi(doi)) for doi in content.get("dois", [])]
    parts = [
        f"<h1>{escape(job['title'])}</h1>",
        f'<p class="dim">Import <code>{escape(job["id"])}</code> by jdaviz-mast. '
        f"Times are in UTC.</p>",
        _list(facts),
        "<h2>What was asked</h2>",
        *(_query(query) for query in content["queries"]),
        _list([(_NAMES[name], escape(_said(content["choice"][name]))) for name in _NAMES]),
        "<h2>Files</h2>",
        _files(content),
    ]
    if content.get("layers"):
        layers = "".join(f"<li>{escape(layer['label'])}</li>" for layer in content["layers"])
        parts.append(f"<h2>Layers</h2><ol>{layers}</ol>")
    software = [(escape(name), escape(value)) for name, value in content["software"].items()]
    parts += ["<h2>Software</h2>", _list(software)]
    parts.append(f'<p class="dim">Written {_when(content["written"])}.</p>')
    return f'<div class="mast-manifest">{"".join(parts)}</div>'


def _query(query):
    facts = [(escape(name), escape(_said(value))) for name, value in query["arguments"].items()]
    for place in query["places"]:
        where = f"{place['ra_deg']:.6f} {place['dec_deg']:+.6f} (ICRS, degrees)"
        if place.get("target"):
            where = f"{place['target']}: {where}"
        if place.get("resolver"):
            where += f", says {place['resolver']}"
        facts.append(("position", escape(where)))
    return _list(facts)


def _files(content):
    head = "".join(f"<th>{name}</th>" for name in ("File", "Observation", "Level", "Bytes",
                                                   "Version", "SHA-256"))  # fmt: skip
    rows = "".join(_file(file) for file in content["files"])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _file(file):
    uri, path = escape(file["uri"]), escape(file["path"] or "")
    name = f"<code>{path or uri}</code><br><span class='dim'>{uri}</span>"
    about = [file["kind"], file["rights"], file["source"] and f"over {file['source'].upper()}"]
    name += f"<br>{escape(' · '.join(filter(None, about)))}"
    if file["fetched"]:
        name += f", {_when(file['fetched'])}"
    if file["state"] != "complete":
        name += f'<br><span class="bad">{escape(file["error"] or file["state"])}</span>'
    if file["note"]:
        name += f"<br>{escape(file['note'])}"
    if file["doi"]:
        name += f"<br>{_doi(file['doi'])}"
    versions = "<br>".join(f"{escape(key)} {escape(value)}"
                           for key, value in file["versions"].items())  # fmt: skip
    cells = [
        name,
        _observation(file),
        "" if file["calib_level"] is None else str(file["calib_level"]),
        "" if file["size"] is None else f"{file['size']:,}",
        versions,
        f"<code>{escape(file['sha256'] or '')}</code>",
    ]
    kinds = ("", "", "number", "number", "", "")
    return "".join(
        ["<tr>", *(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, cells,
                                                                           strict=True)), "</tr>"]
    )  # fmt: skip


def _observation(file):
    if not file["obs_id"]:
        return ""
    try:
        return _link(portal_link(file["obs_id"]), file["obs_id"])
    except InvalidInput:
        return escape(file["obs_id"])


def _doi(doi):
    return _link(f"https://doi.org/{quote(doi, safe='/')}", doi)


def _link(address, text):
    if urlsplit(address).scheme != "https":
        return escape(text)
    return f'<a href="{escape(address)}" rel="noreferrer">{escape(text)}</a>'


def _list(facts):
    """Return facts, pairs of HTML, as a list."""
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"


def _said(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "any"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    return str(value)


def _when(text):
    return escape(text.replace("T", " ").removesuffix("Z")[:19] + " UTC")
