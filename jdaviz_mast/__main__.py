"""``python -m jdaviz_mast`` is the command ``jdaviz-mast``."""

import sys

from jdaviz_mast.cli import main

sys.exit(main())
