"""What the parts of a page are rendered with in which a photo and styles are chosen."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.http import context
from app.inputs.references import RESULT_PREFIX
from app.pages import page_options


def template_context(content: str) -> dict[str, Any]:
    """`content`: the server's name for a photo that it has, if any. Styles and the form's values are the page's own."""
    max_bytes = context.settings().upload_bytes
    return {
        **page_options.template_options(),
        "script_options": page_options.script_options(max_bytes),
        "max_bytes": max_bytes,
        "photo": photo_url(content),
        "photo_name": "your photo",
    }


def photo_url(content: str) -> str | None:
    """The address of a result's photo; None where the content is no result."""
    if not content.startswith(RESULT_PREFIX):
        return None
    return url_for("results.before", id=content.removeprefix(RESULT_PREFIX))
