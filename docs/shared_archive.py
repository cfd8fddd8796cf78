"""The embedded archive that the examples of all pages share, each in a download folder of its own.

Its files are made when they are first asked for, which takes longer than most examples do.
"""

import atexit

from jdaviz_mast.demo import DemoArchive

archive = DemoArchive().start()
atexit.register(archive.stop)
