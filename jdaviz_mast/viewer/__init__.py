"""SHOW: from a file to a layer. All that touches jdaviz's private side is in `jdaviz_api`."""
