"""/api/v1/recipe: what a painted picture was made of, and how to ask for the same again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from flask import Blueprint, Response, request

from app.api import restore
from app.api.response_schemas import RecipeAnswer
from app.http import context, identity
from app.http.context import Caller
from app.inputs import bodies, picture_fields
from app.inputs.bodies import FormBody, JsonObject
from app.settings import PictureLimits
from model.errors import InvalidOption
from model.imaging import image_files
from model.pipelines import recipes

blueprint = Blueprint("api_recipes", __name__, url_prefix="/api/v1/recipe")
_NO_PICTURE = "There is no picture: add one that was painted here, as 'picture'."


@blueprint.post("")
def recipe() -> Response:
    caller = context.for_owner(identity.owner())
    with bodies.receive(request) as body:
        if isinstance(body, FormBody):
            read = _form_reader(body, caller.limits)
            answer = caller.engine.run(lambda: _restore(caller, read()))
        else:
            answer = caller.engine.run(lambda: _restore(caller, _decode_json(body.load())))
    return answer.response()


def _restore(caller: Caller, picture: bytes) -> RecipeAnswer:
    image_files.read_bytes(picture, "picture", most_bytes=caller.limits.upload_bytes)
    return restore.from_recipe(caller, recipes.extract(picture))


def _form_reader(form: FormBody, limits: PictureLimits) -> Callable[[], bytes]:
    for name in (form.texts.keys() | form.files.keys()) - {"picture"}:
        _refuse_unknown_field(name)
    files = form.files.get("picture", [])
    if len(files) != 1:
        raise InvalidOption("Send one picture at a time as 'picture'." if files else _NO_PICTURE, "picture")
    return lambda: picture_fields.read_file(files[0], limits)


def _decode_json(fields: JsonObject) -> bytes:
    for name in fields.keys() - {"picture"}:
        _refuse_unknown_field(name)
    if not fields.get("picture"):
        raise InvalidOption(_NO_PICTURE, "picture")
    return picture_fields.decode_picture(fields["picture"], "picture")


def _refuse_unknown_field(name: str) -> NoReturn:
    raise InvalidOption(f"'{name}' must be left out: only 'picture' is sent.", name)
