"""The server's settings, from environment variables; nothing else in app/ reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.failures import CannotStart

PREFIX = "STYLE_"


@dataclass(frozen=True)
class PictureLimits:
    """How large the pictures of one request may be."""

    upload_bytes: int  # of one picture that is sent
    upload_pixels: int  # likewise
    result_pixels: int  # of the result
    sync_pixels: int  # of a result that a request may wait for


def _default_concurrency(cores_each: int) -> int:
    """Return how many pictures to paint at once with so many cores each; beyond four it is memory that runs out."""
    return min(4, max(1, (os.cpu_count() or 1) // cores_each))


class Settings(BaseModel):
    """Each field is the environment variable STYLE_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    renders: int = Field(
        default_factory=lambda: _default_concurrency(1),  # one core decodes or encodes while another picture is painted
        ge=1,
        le=64,
        description="Pictures painted at the same time for requests that wait.",
    )
    queue: int = Field(6, ge=0, le=1000, description="Requests that may wait for a turn; more are sent away.")
    patience: float = Field(60, gt=0, le=600, description="Seconds that a request waits, for turn and model.")
    warm_up: bool = Field(True, description="Load the model as soon as the server is up, not at the first picture.")
    sync_pixels: int = Field(
        9_000_000, ge=1, description="Pixels of the largest result that a request may wait for; larger ones are jobs."
    )
    upload_megabytes: float = Field(25, gt=0, le=2000, description="Of one picture that is sent.")
    upload_megapixels: float = Field(40, gt=0, le=200, description="Million pixels of one picture that is sent.")
    megapixels: float = Field(50, gt=0, le=200, description="Million pixels of the largest result.")
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("style-transfer"),
        description="Folder of the database, the pictures, the queue and the key that signs cookies.",
    )
    database_url: str = Field("", description="postgresql://…; left empty, SQLite in the data folder.")
    store_url: str = Field(
        "", description="A folder or s3://bucket/prefix for the pictures; left empty, the data folder."
    )
    queue_url: str = Field("", description="redis://…; left empty, SQLite in the data folder.")
    secret_key: str = Field(
        "",
        description="Keys of 16 or more characters, separated by commas: the first signs cookies, each verifies them; "
        "left empty, a key is made and kept in the data folder.",
    )
    worker: bool = Field(True, description="Paint jobs in the server's own process; no: `make worker` does.")
    painters: int = Field(
        default_factory=lambda: max(2, _default_concurrency(2)),
        ge=1,
        le=64,
        description="Jobs painted at the same time; of several, one is always free for pastiches.",
    )
    refine_seconds: float = Field(900, gt=0, le=86_400, description="Seconds that one refinement may take at most.")
    train_seconds: float = Field(
        480, gt=0, le=86_400, description="Seconds that training a style's own network may take at most."
    )
    jobs: int = Field(50, ge=1, le=100_000, description="Jobs that may wait; more are sent away.")
    lease: float = Field(15, ge=1, le=600, description="Seconds without a sign of life until a job is given anew.")
    keep_hours: float = Field(72, gt=0, le=8760, description="Hours that a result is kept.")
    keep_gigabytes: float = Field(20, gt=0, description="Of pictures; beyond, new ones are sent away.")
    free_megabytes: float = Field(
        200, ge=0, description="Of disk that stay free; below, the server says that it is not ready."
    )
    api_keys: str = Field("", description="name:key:quota, …, such as `ann:s3cret:1000 per day`.")
    rate_limit: str = Field(
        "600 per minute", description="Pictures and jobs that one client may ask for; empty: no limit."
    )
    hosts: str = Field(
        "",
        description="Names that the site is reached by, separated by commas; `.example.org` includes all below it; "
        "left empty, any.",
    )
    cors_origins: str = Field("", description="Sites whose pages may use the API, separated by commas.")
    proxies: int = Field(0, ge=0, le=10, description="Reverse proxies in front, whose X-Forwarded-… is believed.")

    @property
    def upload_bytes(self) -> int:
        return round(self.upload_megabytes * 1e6)

    @property
    def upload_pixels(self) -> int:
        return round(self.upload_megapixels * 1e6)

    @property
    def result_pixels(self) -> int:
        return round(self.megapixels * 1e6)

    @cached_property
    def picture_limits(self) -> PictureLimits:
        return PictureLimits(self.upload_bytes, self.upload_pixels, self.result_pixels, self.sync_pixels)

    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'library.sqlite3'}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings of this process; raise CannotStart with the variable at fault."""
        values = {name: environ[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in environ}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            variable = PREFIX + str(first["loc"][0]).upper()
            raise CannotStart(f"{variable}={first['input']!r}: {first['msg'].lower()}.") from None


SETTINGS: list[tuple[str, object, str]] = [
    (PREFIX + name.upper(), field.get_default(call_default_factory=True), field.description or "")
    for name, field in Settings.model_fields.items()
]
