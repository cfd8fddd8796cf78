"""Names of files that several tests of the embedded archive use."""

F090W = "mast:JWST/product/jw02733-o001_t001_nircam_clear-f090w_i2d.fits"
F1130W = "mast:JWST/product/jw02733-o002_t001_miri_f1130w_i2d.fits"
SMALL = "mast:JWST/product/jw02733-o002_t001_miri_f1130w_cat.ecsv"
