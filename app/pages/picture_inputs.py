"""The template variables of the photo and style inputs, which the create and explore pages share."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.http import context
from app.inputs.references import RESULT_PREFIX
from app.pages import page_options


def template_variables(content: str) -> dict[str, Any]:
    """Return the variables of the shared inputs; each page adds the styles and the form's values.

    content: "result:<id>" for the photo of a result, or empty.
    """
    max_bytes = context.settings().upload_bytes
    return {
        **page_options.template_options(),
        "script_options": page_options.script_options(max_bytes),
        "max_bytes": max_bytes,
        "photo": photo_url(content),
        "photo_name": "your photo",
    }


def photo_url(content: str) -> str | None:
    """Return the address of a result's photo; None where `content` does not name a result."""
    if not content.startswith(RESULT_PREFIX):
        return None
    return url_for("results.before", id=content.removeprefix(RESULT_PREFIX))
