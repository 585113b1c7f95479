"""What the server reads from the environment, and nothing else in app/ does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PREFIX = "STYLE_"


def _half_the_cores() -> int:
    """One render keeps about two cores busy; beyond four it is memory that runs out."""
    return min(4, max(1, (os.cpu_count() or 1) // 2))


class Settings(BaseModel):
    """Each field is the environment variable STYLE_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    renders: int = Field(default_factory=_half_the_cores, ge=1, le=64, description="Pictures painted at the same time.")
    queue: int = Field(6, ge=0, le=1000, description="Requests that may wait for a turn; more are sent away.")
    patience: float = Field(60, gt=0, le=600, description="Seconds that a request waits for its turn.")
    warm_up: bool = Field(True, description="Load the model at the first request of any kind, not the first picture.")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Settings of this process; ValueError names the variable at fault."""
        values = {name: environ[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in environ}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            variable = PREFIX + str(first["loc"][0]).upper()
            raise ValueError(f"{variable}={first['input']!r}: {first['msg'].lower()}.") from None


SETTINGS: list[tuple[str, object, str]] = [
    (PREFIX + name.upper(), field.get_default(call_default_factory=True), field.description or "")
    for name, field in Settings.model_fields.items()
]
