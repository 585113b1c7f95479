"""Style files: a style vector, its artwork's name, credit and licence, and the style's own network if it has one.

The file is JSON: {"kind": "style vector", "name", "credit", "licence", "weights", "weights_sha256", "vector",
"network"}, the vector as base64 of little-endian float32, the network as base64 of its file (see
`model.weights.style_networks`) with its sha256. It fits the weights that made it and no others.

An imported network (see `model.weights.johnson_files`) paints without any weights: the vector is empty then, and
"weights" and "weights_sha256" are the network's own.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from model.errors import InvalidOption

SUFFIX = ".style.json"
MEDIA_TYPE = "application/json"
MAX_STYLE_FILE_BYTES = 3_000_000  # bytes; 768 numbers take about five thousand, a network half a million
NAME_LENGTH, CREDIT_LENGTH, LICENCE_LENGTH = 80, 200, 200  # characters
MAX_LENGTHS = {"name": NAME_LENGTH, "credit": CREDIT_LENGTH, "licence": LICENCE_LENGTH}
WEIGHTS_NAME_LENGTH = 80  # characters


def vector_to_bytes(vector: np.ndarray) -> bytes:
    """Return the numbers of a style vector as little-endian float32."""
    return vector.astype("<f4").tobytes()


def vector_from_bytes(data: bytes) -> np.ndarray:
    """Return the style vector, (n,) float32, that `vector_to_bytes` wrote."""
    return np.frombuffer(data, "<f4")


def vector_sha256(vector: np.ndarray) -> str:
    return hashlib.sha256(vector_to_bytes(vector)).hexdigest()


def encode_vector(vector: np.ndarray) -> str:
    """Return a style vector as base64 of little-endian float32."""
    return base64.b64encode(vector_to_bytes(vector)).decode("ascii")


def _decode_vector(value: Any) -> Any:
    return vector_from_bytes(base64.b64decode(value, validate=True)) if isinstance(value, str) else value


def _decode_network(value: Any) -> Any:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


def _encode_network(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


class StyleFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Literal["style vector"] = "style vector"
    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    credit: str = Field("", max_length=CREDIT_LENGTH)
    licence: str = Field("", max_length=LICENCE_LENGTH)
    weights: str = Field(max_length=WEIGHTS_NAME_LENGTH)
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    vector: Annotated[np.ndarray, BeforeValidator(_decode_vector), PlainSerializer(encode_vector)]  # (n,) float32
    network: Annotated[bytes | None, BeforeValidator(_decode_network), PlainSerializer(_encode_network)] = None
    network_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _check_network(self) -> Self:
        if self.network is not None and hashlib.sha256(self.network).hexdigest() != self.network_sha256:
            raise ValueError("the network is damaged")
        if self.is_imported and (self.network is None or self.weights_sha256 != self.network_sha256):
            raise ValueError("there is neither a vector nor an imported network")
        return self

    @property
    def is_imported(self) -> bool:
        """Tell whether its network is an imported one, which has no style vector and needs no weights."""
        return self.vector.size == 0

    def to_bytes(self) -> bytes:
        return self.model_dump_json(indent=1, exclude_none=True).encode()

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """Return a validated style file; raise InvalidOption with the first field at fault."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0])
            raise InvalidOption(f"'{field}': {first['msg'].lower()}.", field) from None

    @classmethod
    def with_network(cls, network: bytes, **values: Any) -> Self:
        return cls.parse(**values, network=network, network_sha256=hashlib.sha256(network).hexdigest())

    @classmethod
    def with_imported(cls, network: bytes, architecture: str, **texts: str) -> Self:
        """Return the style file of an imported network; `architecture` stands where others name their weights."""
        digest, vector = hashlib.sha256(network).hexdigest(), np.zeros(0, "float32")
        return cls.with_network(network, **texts, weights=architecture, weights_sha256=digest, vector=vector)

    @classmethod
    def from_bytes(cls, data: bytes, field: str = "style") -> Self:
        """Parse a file that `to_bytes` wrote; raise InvalidOption for anything else."""
        try:
            return cls.model_validate_json(data if len(data) <= MAX_STYLE_FILE_BYTES else b"")
        except ValidationError:
            raise InvalidOption("This is not a style file: use one that was exported here.", field) from None


def is_style_file(data: bytes) -> bool:
    """Tell a style file from a picture by its first byte: no kind of picture begins with a brace."""
    return data[:1] == b"{"
