"""Every call of astroquery.mast that reaches MAST, made with astroquery as it is.

Run as a script, in a process of its own, by test_demo_astroquery.py. Nothing of astroquery
is changed: its configuration file names the archive, http_proxy leads to the resolver,
and sessions carry a transport adapter for the one address that is fixed to https.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests

url = sys.argv[1]


class ToArchive(requests.adapters.HTTPAdapter):
    """Sends what is meant for MAST to the archive."""

    def send(self, request, **options):
        parts = urlsplit(request.url)
        request.url = urlunsplit(("http", urlsplit(url).netloc, *parts[2:]))
        options["proxies"] = {}
        return super().send(request, **options)


# path_lookup is asked for with requests.get, so every new session has to know the way.
_plain_session = requests.sessions.Session.__init__


def session_that_knows(self):
    _plain_session(self)
    self.mount("https://mast.stsci.edu", ToArchive())


requests.sessions.Session.__init__ = session_that_knows

import astropy.units as u  # noqa: E402
from astroquery import mast  # noqa: E402
from astroquery.mast import utils  # noqa: E402
from astroquery.mast.observations import MastClass, ObservationsClass  # noqa: E402

warnings.simplefilter("ignore")
assert mast.conf.server == url, mast.conf.server
results = {}
obs = ObservationsClass()


def note(name, value):
    results[name] = value


# -- portal: observations
program = obs.query_criteria(proposal_id="2733", calib_level=3)
note("criteria", [list(program["obs_id"]), program.colnames, str(program["obsid"].dtype)])
note("masked", bool(program["sequence_number"].mask.all()))
note("wildcard", len(obs.query_criteria(instrument_name="NIRCAM*", calib_level=3)))
note("range", len(obs.query_criteria(t_min=[59733, 59734], calib_level=3)))
note("separator", sorted(obs.query_criteria(filters=["F444W"], proposal_id="2733",
                                            calib_level=3)["filters"]))  # fmt: skip
region = obs.query_region("151.757 -40.436", radius=0.02 * u.deg)
note("region", [len(region), "distance" in region.colnames])
named = obs.query_object("NGC 3132", radius="0.02 deg")
note("object", len(named))
near = obs.query_criteria(objectname="NGC 3132", radius="0.02 deg", calib_level=3)
note("criteria and position", [len(near), "distance" in near.colnames])
note("counts", [
    obs.query_criteria_count(proposal_id="2733", calib_level=3),
    obs.query_region_count("151.757 -40.436", radius=0.02 * u.deg),
    obs.query_object_count("NGC 3132", radius="0.02 deg"),
])  # fmt: skip
note("page", len(obs.query_criteria(proposal_id="2733", pagesize=4, page=2)))
note("pages", len(obs.query_criteria(proposal_id="2733", pagesize=50)))
note("missions", list(obs.list_missions()))
note("metadata", [len(obs.get_metadata(kind)) for kind in ("observations", "products")])

# -- portal: products
row = program[program["obs_id"] == "jw02733-o002_t001_miri_f1130w"]
products = obs.get_product_list(row)
note("products", [len(products), products.colnames, str(products["size"].dtype)])
note("several", len(obs.get_unique_product_list(program[:3])))
minimum = obs.filter_products(products, mrp_only=True, calib_level=[3], extension="fits")
note("minimum", list(minimum["productFilename"]))

# -- files
folder = Path(tempfile.mkdtemp())
small = obs.filter_products(products, calib_level=[3], extension=["ecsv", "json"])
manifest = obs.download_products(small, download_dir=str(folder), verbose=False)
note("manifest", list(manifest["Status"]))
note("sizes", [
    Path(path).stat().st_size == size
    for path, size in zip(manifest["Local Path"], small["size"], strict=True)
])  # fmt: skip
single = folder / "one.ecsv"
note("download_file", obs.download_file(small["dataURI"][0], local_path=single, verbose=False)[0])
curl = obs.download_products(small, download_dir=str(folder), curl_flag=True)
note("curl", Path(curl["Local Path"][0]).read_text().count("curl "))
lookup = utils.mast_relative_path([small["dataURI"][0], "mast:JWST/product/none.fits"])
note("lookup", lookup)

# -- exclusive access
secret = obs.get_product_list(obs.query_criteria(proposal_id="7777", calib_level=3))
secret = secret[[name.endswith("_pool.csv") for name in secret["productFilename"]]][:1]
denied = obs.download_products(secret, download_dir=str(folder / "no"), verbose=False)
note("denied", list(denied["Status"]))
obs.login(token="demo-token")
note("login", bool(obs.authenticated()))
note("session", obs.session_info(verbose=False)["anon"])
allowed = obs.download_products(secret, download_dir=str(folder / "yes"), verbose=False)
note("allowed", list(allowed["Status"]))
try:
    ObservationsClass().login(token="wrong")
except Exception as error:  # noqa: BLE001 - its name is the result
    note("bad token", type(error).__name__)

# -- names
one = obs.resolve_object("ngc 3132")
note("resolve", [one.ra.deg, one.dec.deg])
note("resolvers", sorted(obs.resolve_object("NGC 3132", resolve_all=True)))
note("resolver", obs.resolve_object("M101", resolver="NED").dec.deg)
several = utils.resolve_object(["NGC 3132", "M101", "TIC 261136679"])
note("many", sorted(several))
try:
    obs.resolve_object("no such thing")
except Exception as error:  # noqa: BLE001 - its name is the result
    note("unknown", type(error).__name__)

# -- TIC and the portal in general
catalogs = mast.CatalogsClass()
tic = catalogs.query_region("84.291188 -80.469120", radius=0.01 * u.deg, catalog="TIC")
note("tic", [str(tic["ID"][0]), len(tic.colnames)])
bright = catalogs.query_criteria(catalog="Tic", Tmag=[0, 6])
note("tic criteria", list(bright["ID"]))
some = catalogs.query_criteria(catalog="Tic", objectname="pi Men", radius=0.01, Tmag=[10, 16])
note("tic position", list(some["ID"]))
portal = MastClass()
lookup = portal.service_request_async("Mast.Name.Lookup", {"input": "M101", "format": "json"})
note("name lookup", lookup[0].json()["resolvedCoordinate"][0]["resolver"])
raw = portal.service_request("Mast.Caom.Cone", {"ra": 151.757, "dec": -40.436, "radius": 0.02})
note("service", len(raw))

# -- mission search
for mission, keyword in (("jwst", "fileSetName"), ("hst", "sci_data_set_name")):
    search = mast.MastMissionsClass(mission=mission)
    columns = search.get_column_list()
    found = search.query_region("151.757 -40.436", radius=2)
    files = search.get_product_list(found[:2])
    note(mission, [len(columns), keyword in found.colnames, len(found), len(files)])
    some = search.filter_products(files, extension=".ecsv" if mission == "jwst" else "_asn.fits")
    done = search.download_products(some[:1], download_dir=str(folder / mission), verbose=False)
    note(f"{mission} download", list(done["Status"]))
jwst = mast.MastMissionsClass(mission="jwst")
note("jwst criteria", len(jwst.query_criteria(program=2733, productLevel="3")))
note("jwst object", len(jwst.query_object("NGC 3132", radius=1)) > 0)

print("RESULTS " + json.dumps(results, default=int))
