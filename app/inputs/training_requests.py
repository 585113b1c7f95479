"""Requests that have a style trained a network of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Request
from pydantic import TypeAdapter, ValidationError

from app.http.context import Caller
from app.inputs import bodies, submission
from app.inputs.bodies import FormBody, JsonObject
from app.inputs.references import invalid_if_deleted
from app.jobs.order import TrainingOrder
from app.jobs.queue import Job
from app.storage.records import Style
from model.errors import InvalidOption
from model.options import Number, TrainOptions, join_words

TRAINING_FIELDS = ("steps", "size", "content_weight", "noise_weight", "flat_weight")  # besides the time
_SECONDS_PER_UNIT = {"minutes": 60, "seconds": 1}  # of the time that a training may take
_MAX_BODY_BYTES = 20_000
_NUMBER: TypeAdapter[float] = TypeAdapter(Number)


def read_options(request: Request, most_seconds: float) -> TrainOptions:
    """Return the options of the request's form or JSON; of an empty one the defaults."""
    if not (request.content_length or request.mimetype):
        return parse_options({}, most_seconds)
    request.max_content_length = _MAX_BODY_BYTES
    with bodies.receive(request) as body:
        return parse_options(_form_fields(body) if isinstance(body, FormBody) else body.load(), most_seconds)


def parse_options(fields: Mapping[str, Any], most_seconds: float) -> TrainOptions:
    """Validate the fields. most_seconds: that a training may take, and takes unless less is asked for."""
    names = (*_SECONDS_PER_UNIT, *TRAINING_FIELDS)
    for name in fields:
        if name not in names:
            raise InvalidOption(f"There is no option '{name[:40]}': the options are {join_words(names)}.", name)
    others = {name: fields[name] for name in TRAINING_FIELDS if name in fields}
    return TrainOptions.parse(others | {"seconds": _parse_seconds(fields, most_seconds)})


def submit(caller: Caller, style: Style, options: TrainOptions, idempotency_key: str | None = None) -> Job:
    """Queue the training of a style's network; raise InvalidOption unless it is the caller's own, with a picture."""
    submission.check_idempotency_key(idempotency_key)
    if not style.own:
        raise InvalidOption("This style ships with the server, as does its network: teach a painting of yours.", "id")
    if style.picture is None:
        sentence = "Of this style there are only its numbers: add the painting itself as a style, and teach that."
        raise InvalidOption(sentence, "id")
    order = TrainingOrder(style=style.id, name=style.name, picture=style.picture, options=options)
    with invalid_if_deleted("id"):
        return caller.jobs.submit(caller.require_owner(), order, idempotency_key=idempotency_key)


def _form_fields(form: FormBody) -> JsonObject:
    for name in form.files:
        raise InvalidOption("A training takes no files: the style has its picture.", name)
    for name, values in form.texts.items():
        if len(values) > 1:
            raise InvalidOption(f"'{name[:40]}' must be sent once.", name)
    return {name: value for name, [value] in form.texts.items()}


def _parse_seconds(fields: Mapping[str, Any], most: float) -> float:
    given = [name for name in _SECONDS_PER_UNIT if name in fields]
    if len(given) > 1:
        raise InvalidOption("Give the time as 'minutes' or as 'seconds', not as both.", "minutes")
    for name in given:
        unit = _SECONDS_PER_UNIT[name]
        if not 0 < (seconds := unit * _parse_number(fields[name])) <= most:
            raise InvalidOption(f"'{name}' must be more than 0 and {most / unit:.4g} or less.", name)
        return seconds
    return most


def _parse_number(value: Any) -> float:
    """Return the number, and 0 for what is none."""
    try:
        return _NUMBER.validate_python(value)
    except ValidationError:
        return 0.0
