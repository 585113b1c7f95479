"""/api/v1/recipe: a picture that was painted here, in; the settings that made it, out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from flask import Blueprint, Response, request

from app import bodies, current, owners, recipes
from app.bodies import Form
from app.schemas import RecipeAnswer
from model import images
from model import recipe as recipe_of
from model.errors import InvalidOption

api_recipes = Blueprint("api_recipes", __name__, url_prefix="/api/v1/recipe")
_MISSING = "There is no picture: add one that was painted here, as 'picture'."


@api_recipes.post("")
def recipe() -> Response:
    owner = owners.owner()
    with bodies.received(request) as body:
        read = _form_picture(body) if isinstance(body, Form) else lambda: _json_picture(body())
        restored = current.engine().run(lambda: _restored(read(), owner.id if owner else None))
    return restored.response()


def _restored(picture: bytes, owner: str | None) -> RecipeAnswer:
    images.contents(picture, "picture", most_bytes=current.settings().upload_bytes)
    return recipes.restored(recipe_of.extract(picture), current.library().styles(owner))


def _form_picture(form: Form) -> Callable[[], bytes]:
    for name in (form.texts.keys() | form.files.keys()) - {"picture"}:
        _unknown(name)
    files = form.files.get("picture", [])
    if len(files) != 1:
        raise InvalidOption("Send one picture at a time as 'picture'." if files else _MISSING, "picture")
    return lambda: bodies.contents(files[0])


def _json_picture(fields: dict[str, Any]) -> bytes:
    for name in fields.keys() - {"picture"}:
        _unknown(name)
    return bodies.picture(fields["picture"], "picture") if fields.get("picture") else _missing()


def _unknown(name: str) -> NoReturn:
    raise InvalidOption(f"'{name}' must be left out: only 'picture' is sent.", name)


def _missing() -> NoReturn:
    raise InvalidOption(_MISSING, "picture")
