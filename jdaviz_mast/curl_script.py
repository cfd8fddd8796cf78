"""A selection of products as a bash script that fetches them with cURL, now or elsewhere."""

import shlex
from importlib.metadata import version
from urllib.parse import urlsplit

from astropy.time import Time

from jdaviz_mast.archive import plain_server

__all__ = ["curl_script"]

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

_HEAD = r"""#!/bin/bash
# Products of the MAST archive, to be fetched with cURL: __TITLE__
# Written by jdaviz-mast __VERSION__ on __DATE__, from __SERVER__.
#
#   bash THIS_FILE [FOLDER]
#
# Files go to FOLDER/MISSION/OBSERVATION, by default below the folder that you are in. Run it again
# and it goes on where it stopped; what is whole is not fetched again. Data under exclusive access
# need a token of MAST's in the environment variable MAST_API_TOKEN.

# Names of files are meant as they are, whatever is in them.
# shellcheck disable=SC2016

set -u
folder=${1:-.}
case $folder in -*) folder=./$folder;; esac
protocols=__PROTOCOLS__
token=__TOKEN__
whole=0
failed=0
denied=0

command -v curl > /dev/null || { echo 'cURL is not installed.' >&2; exit 1; }
case $token in
  *[![:graph:]]*)
    echo 'MAST_API_TOKEN holds blanks or control characters; copy the token again.' >&2
    exit 1;;
esac

# Bytes of a file; 0 if it is not there.
size_of() {
  if [[ -f $1 ]]; then echo $(($(wc -c < "$1"))); else echo 0; fi
}

# The last value of a header of the answer with which a file was begun.
header_of() {
  [[ -f $1 ]] || return 0
  tr -d '\r' < "$1" | awk -v name="$2" '
    /^HTTP\// { value = "" }
    index(tolower($0), name ":") == 1 { value = substr($0, length(name) + 2) }
    END { sub(/^[ \t]+/, "", value); sub(/[ \t]+$/, "", value); print value }'
}

# What tells whether the server still has the version that a file was begun with.
version_of() {
  local tag
  tag=$(header_of "$1" etag)
  case $tag in
    '"'*) echo "$tag";;
    *) header_of "$1" last-modified;;  # a weak ETag does not tell bytes apart
  esac
}

# cURL with what all requests have in common. ~/.curlrc is left out: it could send the token on to
# other hosts. Over standard input the token is in no list of processes, and cURL itself takes it
# away where the archive leads to another host.
ask() {
  local options=(
    -q --globoff --location --fail --proto "=$protocols" --proto-redir "=$protocols"
    --connect-timeout 60 --speed-limit 1 --speed-time 60 --write-out '%{http_code}'
  )
  if [[ -t 2 ]]; then options+=(--progress-bar); else options+=(--silent --show-error); fi
  if [[ -n $token ]]; then
    printf 'Authorization: Bearer %s\n' "$token" | curl "${options[@]}" --header @- "$@"
  else
    curl "${options[@]}" "$@" < /dev/null
  fi
}

# Fetch what is missing of a file that has begun to come; leave cURL's exit code in $code and the
# server's answer in $status.
go_on() {
  local part=$1 url=$2 version
  version=$(version_of "$part.headers")
  if [[ -s $part && -n $version ]]; then
    # If-Range: the rest of the same version, or all of another one, which cURL then refuses (33).
    status=$(ask --continue-at - --header "If-Range: $version" --output "$part" "$url")
    code=$?
    if [[ $code -ne 33 && $status != 416 ]]; then return; fi
    echo '  It has changed at the archive meanwhile; it is fetched anew.' >&2
  fi
  rm -f -- "$part" "$part.headers"
  status=$(ask --dump-header "$part.headers" --output "$part" "$url")
  code=$?
}

# Whether a file may get its name: as long as the server said, and FITS if it is called so.
is_good() {
  local part=$1 path=$2 listed=$3 size announced
  size=$(size_of "$part")
  announced=$(header_of "$part.headers" content-length)
  if [[ -n $(header_of "$part.headers" content-encoding) ]]; then announced=; fi
  if [[ ${announced:-$listed} != "$size" && -n ${announced:-$listed} ]]; then
    echo "  It is of $size bytes, not of ${announced:-$listed}." >&2
    return 1
  fi
  case $(header_of "$part.headers" content-type) in
    text/html*)
      case $path in *.html | *.htm) ;; *)
        echo '  A web page came: a login page, or maintenance at the archive, does this.' >&2
        return 1;;
      esac;;
  esac
  case $path in
    *.fits)
      if [[ $(head -c 9 "$part") != 'SIMPLE  =' &&
            $(head -c 2 "$part" | od -An -tx1 | tr -d ' \n') != 1f8b ]]; then
        echo '  It is not FITS, although its name says so.' >&2
        return 1
      fi;;
  esac
  if [[ -n $listed && $size != "$listed" ]]; then
    echo "  The archive lists $listed bytes, and sent $size: it has been reprocessed." >&2
  fi
}

# fetch PATH SIZE URL
fetch() {
  local path=$folder/$1 listed=$2 url=$3 part attempt
  part=${path%/*}/.${path##*/}.curl
  if [[ -f $path && ( -z $listed || $(size_of "$path") == "$listed" ) ]]; then
    whole=$((whole + 1))
    return
  fi
  printf '%s\n' "$1"
  if ! mkdir -p -- "$(dirname -- "$path")"; then
    failed=$((failed + 1))
    return
  fi
  for attempt in 1 2 3 4 5; do
    go_on "$part" "$url"
    if [[ $code -eq 0 ]]; then
      if is_good "$part" "$path" "$listed" && mv -f -- "$part" "$path"; then
        rm -f -- "$part.headers"
        whole=$((whole + 1))
        return
      fi
      rm -f -- "$part" "$part.headers"
      break
    fi
    case $status in
      401 | 403) denied=$((denied + 1)); break;;
      404 | 410) echo '  The archive does not have this file.' >&2; break;;
    esac
    if [[ $code -eq 23 ]]; then break; fi  # the disk takes no more
    if [[ $attempt -lt 5 ]]; then sleep $((attempt * 2 - 1)); fi
  done
  echo "  It could not be fetched (cURL $code, HTTP ${status:-000})." >&2
  failed=$((failed + 1))
}

# leave_out URI REASON
leave_out() {
  printf '%s\n  %s\n' "$1" "$2" >&2
  failed=$((failed + 1))
}

"""

_TAIL = r"""
echo "$whole of $((whole + failed)) files are whole."
if [[ $denied -gt 0 && -z $token ]]; then
  echo "For $denied of them access is denied: set MAST_API_TOKEN to a token of somebody who" >&2
  echo 'may fetch them, and run this again.' >&2
elif [[ $denied -gt 0 ]]; then
  echo "For $denied of them your token is not accepted." >&2
fi
[[ $failed -eq 0 ]]
"""


def curl_script(server, title, items, download_url, folder):
    """Return the script.

    Parameters
    ----------
    server : str
        Address of the archive.
    title : str
        What it fetches, in a few words.
    items : list of `~jdaviz_mast.transfer.Item`
        One a file.
    download_url : callable
        Called with a URI; returns the address of the file.
    folder : `~pathlib.Path`
        That the paths of the items are in.

    Returns
    -------
    script : str
        For bash 3.2 or newer and cURL 7.83 or newer, which takes the ``Authorization`` away
        where it is led to another host or port (https://curl.se/docs/CVE-2022-27776.html).
    """
    encrypted = urlsplit(server).scheme == "https"
    # As the engine does: in clear text a token goes to this machine alone.
    private = encrypted or urlsplit(server).hostname in _THIS_MACHINE
    head = (
        _HEAD.replace("__PROTOCOLS__", "https" if encrypted else "http,https")
        .replace("__TOKEN__", "${MAST_API_TOKEN:-}" if private else "")
        .replace("__VERSION__", version("jdaviz-mast"))
        .replace("__DATE__", f"{Time.now().utc.iso[:16]} UTC")
        .replace("__SERVER__", _comment(plain_server(server)))
        .replace("__TITLE__", _comment(title))
    )
    lines = [_line(item, download_url, folder) for item in items]
    return f"{head}{''.join(lines)}{_TAIL}"


def _line(item, download_url, folder):
    if item.path is None:
        return f"leave_out {_quoted(_comment(item.uri))} {_quoted(_comment(item.problem))}\n"
    path = item.path.relative_to(folder).as_posix()
    size = "" if item.size is None else str(item.size)
    return f"fetch {_quoted(path)} {_quoted(size)} {_quoted(download_url(item.uri))}\n"


def _quoted(text):
    """Return a text as one word of bash, whatever is in it."""
    quoted = shlex.quote(text)
    return quoted if quoted.startswith("'") else f"'{quoted}'"


def _comment(text):
    """Return a text in one line, without anything that ends a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
