"""The names that the site is reached by: a request by another one is refused."""

from __future__ import annotations

from flask import Flask

from app.settings import Settings


def register(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    names = [name.strip() for name in settings.hosts.split(",") if name.strip()]
    app.config["TRUSTED_HOSTS"] = names or None  # None: any
