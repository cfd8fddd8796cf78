"""What tests of the tray have in common."""

import time

F090W = "jw02733-o001_t001_nircam_clear-f090w"
F187N = "jw02733-o001_t001_nircam_clear-f187n"


def tray_of(viz):
    return viz.plugins["MAST Import"]


def layers(viz):
    """Images that came from MAST, by label."""
    data = viz._app.data_collection
    return {d.label: d for d in data if "mast_obs_id" in d.meta and d.ndim == 2}


def wait_for(condition, tray, seconds=30):
    """Wait as a page does: it keeps the panel open, and what is handed over is executed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        tray._obj.job_list.watch.attend()
        tray._obj._owner.drain()
        time.sleep(0.02)


def many_products(archive, count, size=20):
    """Put that many tiny products of one observation into the archive; return their rows."""
    from astropy.table import Table

    own = archive.observations[0]
    rows = [
        archive.add_bytes(
            f"mast:JWST/product/jw77777-o001_tiny_{n:05d}_asn.json",
            b'{"n": %-*d}' % (size - 7, n),
            obs_id="jw77777-o001_tiny",
            obs_collection="JWST",
            parent_obsid=own["obsid"],
            obsID=own["obsid"],
            productFilename=f"jw77777-o001_tiny_{n:05d}_asn.json",
        )
        for n in range(count)
    ]
    return Table(rows)
