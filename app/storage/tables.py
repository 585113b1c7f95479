"""The tables. Times are seconds since 1970; ids are 32 hexadecimal digits; pictures are keys."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Double,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from model.style_file import CREDIT_LENGTH, LICENCE_LENGTH, NAME_LENGTH

_UNSTORABLE_CHARACTERS = re.compile(
    "[\0\ud800-\udfff]"
)  # PostgreSQL takes no NUL, and neither database half a character


class Text(TypeDecorator[str]):
    """A string. Characters that no database can store are replaced, so that looking such a string up finds nothing."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else _UNSTORABLE_CHARACTERS.sub("\ufffd", value)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {str: Text, float: Double, dict[str, Any]: JSON}  # noqa: RUF012


class PictureRow(Base):
    """One file of the store.

    new      put, but not yet held
    held     held, or released in a transaction that has not ended
    doomed   without holders; the file is to be removed, then this row
    """

    __tablename__ = "pictures"

    key: Mapped[str] = mapped_column(Text(64), primary_key=True)
    owner: Mapped[str] = mapped_column(Text(100), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[float]  # when it was last put
    state: Mapped[str] = mapped_column(Text(10))


class Holding(Base):
    """Who holds a picture. holder: the id of a style, or of a job and its result."""

    __tablename__ = "holdings"

    picture: Mapped[str] = mapped_column(ForeignKey(PictureRow.key), primary_key=True)
    holder: Mapped[str] = mapped_column(Text(100), primary_key=True, index=True)


class StyleRow(Base):
    __tablename__ = "styles"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[str] = mapped_column(Text(32), primary_key=True)
    owner: Mapped[str] = mapped_column(Text(100))
    name: Mapped[str] = mapped_column(Text(NAME_LENGTH))
    credit: Mapped[str] = mapped_column(Text(CREDIT_LENGTH))
    licence: Mapped[str] = mapped_column(Text(LICENCE_LENGTH))
    picture: Mapped[str | None] = mapped_column(Text(64))
    thumbnail: Mapped[str] = mapped_column(Text(64))
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)  # little-endian float32
    network: Mapped[str | None] = mapped_column(Text(64))  # key of the style's own network
    training: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # how it was trained here
    weights: Mapped[str | None] = mapped_column(Text(200))
    weights_sha256: Mapped[str | None] = mapped_column(Text(64))
    created: Mapped[float]


class ResultRow(Base):
    """The result of the job with the same id."""

    __tablename__ = "results"

    id: Mapped[str] = mapped_column(Text(32), primary_key=True)
    owner: Mapped[str] = mapped_column(Text(100), index=True)
    picture: Mapped[str] = mapped_column(Text(64))  # PNG
    before: Mapped[str] = mapped_column(Text(64))  # JPEG of the upright photo
    thumbnail: Mapped[str] = mapped_column(Text(64))  # JPEG
    width: Mapped[int]
    height: Mapped[int]
    seconds: Mapped[float]
    weights: Mapped[str] = mapped_column(Text(200))
    recipe: Mapped[dict[str, Any]]
    order: Mapped[dict[str, Any]]
    complete: Mapped[bool]  # False: the best picture of a cancelled job
    created: Mapped[float]
    expires: Mapped[float] = mapped_column(index=True)


class JobRow(Base):
    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("owner", "idempotency_key"),)

    id: Mapped[str] = mapped_column(Text(32), primary_key=True)
    owner: Mapped[str] = mapped_column(Text(100), index=True)
    open: Mapped[bool] = mapped_column(default=False)  # can be read by anybody who has its id
    state: Mapped[str] = mapped_column(Text(20), index=True)  # queued, running, paused, done, failed or cancelled
    method: Mapped[str] = mapped_column(Text(20), default="magenta", server_default="magenta")  # of the order
    order: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str | None] = mapped_column(Text(255))
    order_digest: Mapped[str] = mapped_column(Text(64))
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    seconds_left: Mapped[float | None]
    preview: Mapped[str | None] = mapped_column(Text(64))
    losses: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))  # step, loss and its three parts
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # picture (key), step, seconds
    cancelling: Mapped[bool] = mapped_column(default=False)
    pausing: Mapped[bool] = mapped_column(default=False, server_default=false())
    attempts: Mapped[int] = mapped_column(default=0)  # since its last progress
    worker: Mapped[str | None] = mapped_column(Text(100))
    lease_until: Mapped[float | None]  # by its worker's clock: others only see that it changes
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # why it failed, or could not go on
    created: Mapped[float] = mapped_column(index=True)
    queued: Mapped[float] = mapped_column(server_default="0")  # when it was last queued
    started: Mapped[float | None]
    finished: Mapped[float | None]
    expires: Mapped[float] = mapped_column(index=True)
