"""A style without its artwork: the numbers that the networks see in it, with its name and rights, as a small file.

The file is JSON: {"kind": "style vector", "name", "credit", "licence", "weights", "weights_sha256", "vector"}, the
vector as base64 of little-endian float32. It fits the weights that made it and no others.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from model.errors import InvalidOption

SUFFIX = ".style.json"
MEDIA_TYPE = "application/json"
MAX_BYTES = 100_000  # bytes: 768 numbers come to five thousand


def _decode_vector(value: Any) -> Any:
    return np.frombuffer(base64.b64decode(value, validate=True), "<f4") if isinstance(value, str) else value


def _encode_vector(vector: np.ndarray) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


class StyleFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Literal["style vector"] = "style vector"
    name: str = Field(min_length=1, max_length=80)
    credit: str = Field("", max_length=200)
    licence: str = Field("", max_length=200)
    weights: str = Field(max_length=80)
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    vector: Annotated[np.ndarray, BeforeValidator(_decode_vector), PlainSerializer(_encode_vector)]  # (n,) float32

    def to_bytes(self) -> bytes:
        return self.model_dump_json(indent=1).encode()

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """InvalidOption names the first field at fault."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0])
            raise InvalidOption(f"'{field}': {first['msg'].lower()}.", field) from None

    @classmethod
    def from_bytes(cls, data: bytes, field: str = "style") -> Self:
        """Raises InvalidOption for whatever is not such a file."""
        try:
            return cls.model_validate_json(data if len(data) <= MAX_BYTES else b"")
        except ValidationError:
            raise InvalidOption("This is not a style file: use one that was exported here.", field) from None


def is_style_file(data: bytes) -> bool:
    """No kind of picture begins with a brace."""
    return data[:1] == b"{"
