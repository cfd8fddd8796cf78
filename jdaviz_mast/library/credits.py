"""Whom to thank and what to cite, in the words that missions, archive and authors ask for.

The acknowledgements of missions are those of MAST's page "Mission Acknowledgements"
(https://archive.stsci.edu/publishing/mission-acknowledgements), the use of DOIs follows its page
"Data Attributions" (https://archive.stsci.edu/publishing/data-attributions); both as of 2026.
Astropy's wording is that of https://www.astropy.org/acknowledging.html, jdaviz asks to cite its
Zenodo record (https://jdaviz.readthedocs.io), lightkurve's entry is that of its page "Citing".
"""

__all__ = ["ACKNOWLEDGEMENTS", "ARCHIVE", "HLSP", "LEGACY", "MISSION_PAPERS", "NAMES_OF_LEGACY",
           "PIPELINE_PAPERS", "SOFTWARE", "SOFTWARE_TEXT"]  # fmt: skip

_OPERATED = (
    "the Space Telescope Science Institute, which is operated by the Association of Universities "
    "for Research in Astronomy, Inc., under NASA contract NAS 5-26555"
)
_STSCI = (
    "STScI is operated by the Association of Universities for Research in Astronomy, Inc., under "
    "NASA contract NAS 5-26555."
)
_KEPLER = (
    "This paper includes data collected by the Kepler mission and obtained from the MAST data "
    "archive at the Space Telescope Science Institute (STScI). Funding to US Institutions for the "
    f"Kepler mission was provided by the NASA Science Mission Directorate. {_STSCI}"
)

#: By ``obs_collection``; the numbers of programs go to ``{programs}``.
ACKNOWLEDGEMENTS = {
    "JWST": (
        "This work is based on observations made with the NASA/ESA/CSA James Webb Space "
        "Telescope. The data were obtained from the Mikulski Archive for Space Telescopes at the "
        "Space Telescope Science Institute, which is operated by the Association of Universities "
        "for Research in Astronomy, Inc., under NASA contract NAS 5-03127 for JWST. These "
        "observations are associated with program(s) {programs}."
    ),
    "HST": (
        "This research is based on observations made with the NASA/ESA Hubble Space Telescope "
        f"obtained from {_OPERATED}. These observations are associated with program(s) "
        "{programs}."
    ),
    "TESS": (
        "This paper includes data collected with the TESS mission, obtained from the MAST data "
        "archive at the Space Telescope Science Institute (STScI). Funding for US Institutions "
        f"for the TESS mission is provided by the NASA Explorer Program. {_STSCI}"
    ),
    "Kepler": _KEPLER,
    "K2": _KEPLER,
    "K2FFI": _KEPLER,
    "HLA": (
        "Based on observations made with the NASA/ESA Hubble Space Telescope, and obtained from "
        "the Hubble Legacy Archive, which is a collaboration between the Space Telescope Science "
        "Institute (STScI/NASA), the Space Telescope European Coordinating Facility "
        "(ST-ECF/ESAC/ESA) and the Canadian Astronomy Data Centre (CADC/NRC/CSA)."
    ),
    "PS1": (
        "The Pan-STARRS1 Surveys (PS1) and the PS1 public science archive have been made possible "
        "through contributions by the Institute for Astronomy, the University of Hawaii, the "
        "Pan-STARRS Project Office, the Max-Planck Society and its participating institutes, the "
        "Max Planck Institute for Astronomy, Heidelberg and the Max Planck Institute for "
        "Extraterrestrial Physics, Garching, The Johns Hopkins University, Durham University, the "
        "University of Edinburgh, the Queen's University Belfast, the Harvard-Smithsonian Center "
        "for Astrophysics, the Las Cumbres Observatory Global Telescope Network Incorporated, the "
        "National Central University of Taiwan, the Space Telescope Science Institute, the "
        "National Aeronautics and Space Administration under Grant No. NNX08AR22G issued through "
        "the Planetary Science Division of the NASA Science Mission Directorate, the National "
        "Science Foundation Grant No. AST-1238877, the University of Maryland, Eotvos Lorand "
        "University (ELTE), the Los Alamos National Laboratory, and the Gordon and Betty Moore "
        "Foundation."
    ),
}  # fmt: skip

#: Of missions that have ended, and of Swift; their names go to ``{mission}``.
LEGACY = (
    "This research is based on observations made with the {mission}, obtained from the MAST data "
    f"archive at {_OPERATED}."
)
NAMES_OF_LEGACY = {
    "GALEX": "Galaxy Evolution Explorer", "IUE": "International Ultraviolet Explorer",
    "FUSE": "Far Ultraviolet Spectroscopic Explorer", "SWIFT": "Neil Gehrels Swift Observatory",
    "EUVE": "Extreme Ultraviolet Explorer", "HUT": "Hopkins Ultraviolet Telescope",
    "WUPPE": "Wisconsin Ultraviolet Photo-Polarimeter Experiment",
    "BEFS": "Berkeley Extreme and Far-UV Spectrometer",
    "TUES": "Tübingen Ultraviolet Echelle Spectrometer",
}  # fmt: skip

#: Of all others, and where it is not known what it is.
ARCHIVE = (
    "Some of the data presented in this paper were obtained from the Mikulski Archive for Space "
    f"Telescopes (MAST) at the Space Telescope Science Institute. {_STSCI}"
)
HLSP = (
    "This paper makes use of the High Level Science Products {names}, which are archived at MAST."
)

#: The papers that describe a mission, as BibTeX.
MISSION_PAPERS = {
    "JWST": """@ARTICLE{Gardner2023,
  author = {{Gardner}, Jonathan P. and {Mather}, John C. and {Abbott}, Randy and others},
  title = "{The James Webb Space Telescope Mission}",
  journal = {Publications of the Astronomical Society of the Pacific},
  year = 2023,
  volume = 135,
  number = 1048,
  eid = {068001},
  doi = {10.1088/1538-3873/acd1b5}
}""",
    "TESS": """@ARTICLE{Ricker2015,
  author = {{Ricker}, George R. and {Winn}, Joshua N. and {Vanderspek}, Roland and others},
  title = "{Transiting Exoplanet Survey Satellite (TESS)}",
  journal = {Journal of Astronomical Telescopes, Instruments, and Systems},
  year = 2015,
  volume = 1,
  eid = {014003},
  doi = {10.1117/1.JATIS.1.1.014003}
}""",
    "Kepler": """@ARTICLE{Borucki2010,
  author = {{Borucki}, William J. and {Koch}, David and {Basri}, Gibor and others},
  title = "{Kepler Planet-Detection Mission: Introduction and First Results}",
  journal = {Science},
  year = 2010,
  volume = 327,
  pages = {977},
  doi = {10.1126/science.1185402}
}""",
    "K2": """@ARTICLE{Howell2014,
  author = {{Howell}, Steve B. and {Sobeck}, Charlie and {Haas}, Michael and others},
  title = "{The K2 Mission: Characterization and Early Results}",
  journal = {Publications of the Astronomical Society of the Pacific},
  year = 2014,
  volume = 126,
  pages = {398},
  doi = {10.1086/676406}
}""",
    "PS1": """@MISC{Chambers2016,
  author = {{Chambers}, K. C. and {Magnier}, E. A. and {Metcalfe}, N. and others},
  title = "{The Pan-STARRS1 Surveys}",
  year = 2016,
  eprint = {1612.05560},
  archivePrefix = {arXiv}
}""",
    "GALEX": """@ARTICLE{Martin2005,
  author = {{Martin}, D. Christopher and {Fanson}, James and {Schiminovich}, David and others},
  title = "{The Galaxy Evolution Explorer: A Space Ultraviolet Survey Mission}",
  journal = {The Astrophysical Journal Letters},
  year = 2005,
  volume = 619,
  pages = {L1},
  doi = {10.1086/426387}
}""",
}  # fmt: skip

#: The papers that describe how light curves were made, by ``provenance_name``.
PIPELINE_PAPERS = {
    "SPOC": """@INPROCEEDINGS{Jenkins2016,
  author = {{Jenkins}, Jon M. and {Twicken}, Joseph D. and {McCauliff}, Sean and others},
  title = "{The TESS science processing operations center}",
  booktitle = {Software and Cyberinfrastructure for Astronomy IV},
  series = {Proc. SPIE},
  year = 2016,
  volume = 9913,
  eid = {99133E},
  doi = {10.1117/12.2233418}
}""",
    "TESS-SPOC": """@ARTICLE{Caldwell2020,
  author = {{Caldwell}, Douglas A. and {Tenenbaum}, Peter and {Twicken}, Joseph D. and others},
  title = "{TESS Science Processing Operations Center FFI Target List Products}",
  journal = {Research Notes of the American Astronomical Society},
  year = 2020,
  volume = 4,
  pages = {201},
  doi = {10.3847/2515-5172/abc9b3}
}""",
    "QLP": """@ARTICLE{Huang2020,
  author = {{Huang}, Chelsea X. and {Vanderburg}, Andrew and {P{\\'a}l}, Andras and others},
  title = "{Photometry of 10 Million Stars from the First Two Years of TESS Full Frame Images}",
  journal = {Research Notes of the American Astronomical Society},
  year = 2020,
  volume = 4,
  pages = {204},
  doi = {10.3847/2515-5172/abca2e}
}""",
}  # fmt: skip

SOFTWARE_TEXT = (
    "This work made use of jdaviz (JDADF Developers et al.), of Astropy "
    "(http://www.astropy.org), a community-developed core Python package and an ecosystem of "
    "tools and resources for astronomy (Astropy Collaboration et al. 2013, 2018, 2022), of "
    "astroquery (Ginsburg et al. 2019), and of jdaviz-mast {version}."
)

#: Software that says itself how it is cited comes from there: astropy and astroquery.
SOFTWARE = {
    # With its version.
    "jdaviz": """@SOFTWARE{{jdaviz,
  author = {{{{JDADF Developers}} and {{Averbukh}}, Jesse and {{Bradley}}, Larry and others}},
  title = "{{Jdaviz}}",
  publisher = {{Zenodo}},
  version = {{{version}}},
  doi = {{10.5281/zenodo.5513927}},
  url = {{https://doi.org/10.5281/zenodo.5513927}}
}}""",
    "astropy:2013": """@ARTICLE{astropy:2013,
  author = {{Astropy Collaboration} and {Robitaille}, Thomas P. and {Tollerud}, Erik J. and others},
  title = "{Astropy: A community Python package for astronomy}",
  journal = {Astronomy and Astrophysics},
  year = 2013,
  volume = 558,
  eid = {A33},
  doi = {10.1051/0004-6361/201322068}
}""",
    "astropy:2018": """@ARTICLE{astropy:2018,
  author = {{Astropy Collaboration} and {Price-Whelan}, A. M. and others},
  title = "{The Astropy Project: Building an Open-science Project and Status of the v2.0 Core
    Package}",
  journal = {The Astronomical Journal},
  year = 2018,
  volume = 156,
  eid = {123},
  doi = {10.3847/1538-3881/aabc4f}
}""",
    "lightkurve": """@MISC{2018ascl.soft12013L,
  author = {{Lightkurve Collaboration} and {Cardoso}, J.~V.~d.~M. and {Hedges}, C. and others},
  title = "{Lightkurve: Kepler and TESS time series analysis in Python}",
  howpublished = {Astrophysics Source Code Library},
  year = 2018,
  month = dec,
  archivePrefix = "ascl",
  eprint = {1812.013}
}""",
}  # fmt: skip
