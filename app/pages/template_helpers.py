"""The filters of all templates, and the variables that all templates have."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup, escape

from app.http import context
from app.inputs.bodies import JsonObject


def register(app: Flask) -> None:
    for function in (two_digits, time_left, utc_date, iso_time, code_spans, schema_name):
        app.add_template_filter(function)
    app.context_processor(_retention_variables)


def _retention_variables() -> dict[str, str]:
    """Return how long pictures are kept, in words."""
    hours = round(context.settings().keep_hours)
    return {"kept_for": f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours > 1 else "an hour"}


def two_digits(value: float) -> str:
    """Round to two significant digits: 12.34 -> 12, 1234567 -> 1,200,000."""
    return f"{float(f'{value:.1e}'):,.10g}"


def time_left(moment: float) -> str:
    """Return how long it is until `moment`, a time.time(), in words."""
    return duration_text(moment - time.time())


def utc_date(moment: float) -> str:
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then.day} {then:%B %Y, %H:%M} UTC"


def iso_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def code_spans(text: str) -> Markup:
    """Turn `this` into <code>this</code>, and escape all else."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def schema_name(schema: JsonObject) -> str:
    """Return the last part of a schema's $ref."""
    return str(schema["$ref"]).rpartition("/")[2]


def duration_text(seconds: float) -> str:
    """Return "2 days, 23 hours", "5 hours", "12 minutes"."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    days, hours = divmod(hours, 24)
    if days:
        return _count_text(days, "day") + (f", {_count_text(hours, 'hour')}" if hours else "")
    return _count_text(hours, "hour") if hours else _count_text(minutes, "minute")


def _count_text(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"
