"""Bring the MAST archive into the jdaviz viewer."""
