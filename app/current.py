"""The parts that create_app put together, for the request at hand."""

from __future__ import annotations

from typing import cast

from flask import current_app

from app.engine import Engine
from app.jobs import Jobs
from app.library import Library
from app.settings import Settings


def engine() -> Engine:
    return cast(Engine, current_app.extensions["engine"])


def library() -> Library:
    return cast(Library, current_app.extensions["library"])


def jobs() -> Jobs:
    return cast(Jobs, current_app.extensions["jobs"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])
