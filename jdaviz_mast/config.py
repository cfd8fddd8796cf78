"""The settings of jdaviz-mast, in astropy's own configuration system."""

from astropy.config import ConfigItem, ConfigNamespace

__all__ = ["Conf", "conf"]


class Conf(ConfigNamespace):
    """Settings of `jdaviz_mast`; change them for a session or in ``jdaviz_mast.cfg``."""

    server = ConfigItem(
        "https://mast.stsci.edu",
        "Address of the archive: MAST's own, or any server that speaks its protocol.",
    )
    download_dir = ConfigItem(
        "",
        "Folder that downloads go to; empty means 'jdaviz-mast' in your downloads folder.",
    )
    connections = ConfigItem(
        4, "Connections to one host at the same time, 1 to 8.", cfgtype="integer(1, 8)"
    )
    source = ConfigItem(
        ["auto", "http", "s3"],
        "Where product files come from: 'http' is the archive's download service, 's3' MAST's "
        "public bucket in the cloud, 'auto' the bucket first and the archive where that fails.",
    )
    timeout = ConfigItem(
        60.0,
        "Seconds of silence after which a request to the archive is given up, or tried again.",
        cfgtype="float(1)",
    )
    retries = ConfigItem(
        7,
        "How often in a row a transfer that broke is tried again without getting any further; the "
        "pauses between grow from half a second to half a minute.",
        cfgtype="integer(0, 100)",
    )
    look_for_updates = ConfigItem(
        True,
        "Whether the tray asks the archive, at most once a day, what it has reprocessed or made "
        "public of what is in the download folder.",
    )
    page_size = ConfigItem(
        50000, "Rows asked of the archive in one answer.", cfgtype="integer(1, 500000)"
    )


# ConfigNamespace would otherwise file the items under this module's own name.
for _item in vars(Conf).values():
    if isinstance(_item, ConfigItem):
        _item.module = "jdaviz_mast"

conf = Conf()
