"""What comes in and goes out over HTTP, as JSON.

The names of the fields are those of the program that the guide in ``docs/http.rst`` is of, so that
what was written for it works here: camelCase, except in the answer to a search, whose names that
program passes on from MAST's side.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = ["CoordinatesSearch", "FileProgress", "Found", "ImportRequest", "Imported",
           "ObservationSearch", "Problem", "ProgramSearch", "Progress", "Refreshed", "Started",
           "TargetSearch"]  # fmt: skip

Level = Annotated[int, Field(ge=0, le=4, strict=True)]
Levels = Annotated[
    list[Level] | None,
    Field(
        min_length=1,
        description="MAST's calib_level, 0 to 4. Left out: 3, the combined products; of an "
        "exposure that is imported by its ID, its own.",
        examples=[[3], [1, 2, 3]],
    ),
]
Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Radius = Annotated[Degrees, Field(gt=0, le=30, description="Radius of the cone, in degrees.")]
ObsId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="MAST's obs_id.",
        examples=["jw02733-o001_t001_nircam_clear-f090w"],
    ),
]


class _Message(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",  # a name that is misspelled must not be taken for one left out
        serialize_by_alias=True,
        ser_json_inf_nan="null",
    )


class _Search(_Message):
    calib_level: Levels = None
    page: Annotated[int, Field(ge=1, le=500_000, strict=True)] = Field(
        1, description="Which page of a long answer, 1 for the first."
    )


class TargetSearch(_Search):
    """What lies around a target."""

    target_name: str = Field(
        min_length=1,
        max_length=2000,
        description="Name of an object; several with commas.",
        examples=["NGC 3132"],
    )
    radius: Radius = 0.1


class CoordinatesSearch(_Search):
    """What lies around a position."""

    ra: Degrees = Field(ge=0, le=360, description="Right ascension, ICRS, in degrees.")
    dec: Degrees = Field(ge=-90, le=90, description="Declination, ICRS, in degrees.")
    radius: Radius = 0.1


class ObservationSearch(_Search):
    """One observation, or several with commas."""

    obs_id: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="MAST's obs_id; several with commas.",
        examples=["jw02733-o001_t001_nircam_clear-f090w"],
    )


class ProgramSearch(_Search):
    """The observations of one program, or of several with commas."""

    program_id: (
        Annotated[str, Field(min_length=1, max_length=200)]
        | Annotated[int, Field(ge=1, le=999_999, strict=True)]
    ) = Field(description="Number of a program.", examples=["2733"])


class Found(_Message):
    """The answer to a search."""

    model_config = ConfigDict(alias_generator=None)

    search_type: Literal["target", "coordinates", "observation", "program"]
    query_params: dict[str, Any] = Field(description="What was asked for.")
    results: list[dict[str, Any]] = Field(
        description="Rows with MAST's own columns, in the archive's order: t_min, t_max and "
        "t_obs_release in MJD (UTC), t_exptime in s, em_min and em_max in nm, s_ra and s_dec in "
        "degrees (ICRS); null where the archive has no value."
    )
    result_count: int = Field(description="How many rows this answer has.")
    total_count: int = Field(description="How many rows match, those of other pages included.")
    notes: list[str] = Field(description="Where the target is and who says so; what failed.")
    timestamp: str = Field(description="When it was asked, ISO 8601, UTC.")


class ImportRequest(_Message):
    """What to fetch and show."""

    obs_id: ObsId
    product_type: str = Field(
        "SCIENCE",
        min_length=1,
        max_length=100,
        description="MAST's productType, or “all”.",
        examples=["SCIENCE", "PREVIEW", "AUXILIARY", "INFO", "all"],
    )
    download_source: Literal["auto", "s3", "http"] | None = Field(
        None,
        description="MAST's public bucket (s3), the archive's download service (http), or the "
        "bucket first and the archive where that fails (auto). Left out: as configured.",
    )
    calib_level: Levels = None


class Started(_Message):
    """An import that has begun; ask for its progress by its ID."""

    job_id: str = Field(examples=["3f9a0c62b7de"])
    obs_id: str
    message: str


class FileProgress(_Message):
    """One file of an import."""

    filename: str
    total_bytes: int = Field(description="0 while it is not known.")
    downloaded_bytes: int
    progress_percent: float
    status: Literal["pending", "downloading", "complete", "failed", "cancelled"]
    error: str | None = Field(description="What went wrong, if anything did.")


class Imported(_Message):
    """What came of an import that has ended."""

    status: Literal["completed", "partial", "failed", "cancelled", "interrupted"]
    obs_id: str | None
    imported_data_ids: list[str] = Field(description="MAST's dataURI of each whole file.")
    imported_count: int
    error: str | None


class Progress(_Message):
    """How far an import is."""

    job_id: str
    obs_id: str | None = Field(description="Null for imports of several observations.")
    progress: float = Field(ge=0, le=100, description="Per cent.")
    stage: Literal["Starting", "Downloading", "Complete", "Failed", "Cancelled"]
    state: Literal["queued", "running", "complete", "partial", "cancelled", "failed",
                   "interrupted"] = Field(
        description="As in Python; “partial”: some files failed, “interrupted”: its process ended "
        "before it did."
    )  # fmt: skip
    message: str
    is_complete: bool = Field(description="Whether nothing more will happen unless it is resumed.")
    error: str | None
    started_at: str = Field(description="ISO 8601, UTC.")
    result: Imported | None = Field(description="Null until it has ended.")
    total_bytes: int = Field(description="As far as known.")
    downloaded_bytes: int
    download_progress_percent: float
    speed_bytes_per_sec: float
    eta_seconds: float | None = Field(description="Null while that cannot be told.")
    file_progress: list[FileProgress]
    is_resumable: bool


class Refreshed(_Message):
    """What a refresh of metadata changed."""

    obs_id: str = Field(description="“all” if all were asked for.")
    updated_count: int = Field(description="Observations in which something changed.")
    message: str
    observations: list[dict[str, Any]] = Field(
        description="Each observation that was asked for: obs_id, obsid, found, problem, and in "
        "changes and products (by dataURI) the columns that changed, old and new."
    )
    updates: list[dict[str, Any]] = Field(
        description="What the archive has reprocessed or made public since it was fetched."
    )


class Problem(_Message):
    """Why there is no answer: one sentence, and where a field is to blame, which and why."""

    error: str
    field: str | None = None
    value: Any = None
    allowed: str | None = None
