"""The server's errors, and the status, code and sentence that any error is answered with.

Free of Flask, as workers need it too.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.exc import OperationalError, TimeoutError

from model.errors import (
    BrokenImage,
    DeviceUnavailable,
    ImageTooLarge,
    InvalidOption,
    NoRecipe,
    ResultTooLarge,
    StyleTransferError,
    UnsupportedImage,
    WeightsError,
    WeightsMissing,
)

_log = logging.getLogger(__name__)


class CannotStart(ValueError):
    """The settings or the stored data do not let the server start; the text says what to do."""


class MalformedRequest(StyleTransferError):
    """The request's body is not valid for its content type."""


class UnsupportedBody(StyleTransferError):
    """The endpoint does not take this content type."""


class Busy(StyleTransferError):
    """The server has no room for more work at the moment."""

    retry_after = 5  # seconds, a few pictures' worth


class Missing(StyleTransferError):
    """Nothing of this name exists, or it belongs to another owner; the answer does not tell which."""


class AlreadyTraining(StyleTransferError):
    """The style is being trained a network."""


class NotDone(Missing):
    """The job has not got so far as to have what is asked for."""


class Unauthorized(StyleTransferError):
    """The API key is not one of this server's."""


class CrossSiteRequest(StyleTransferError):
    """The request was sent by a page of another site."""


class ExceedsSyncLimit(StyleTransferError):
    """The picture takes longer than a request may wait for."""


_NO_MODEL = "The model is not available on this server at the moment."
_NO_ENCODER = (
    "The weights of the encoder that was asked for could not be fetched. Choose another one, such as vgg19-slim."
)
_NO_DATABASE = "The server's database does not answer at the moment. Please try again in a few seconds."
_UNEXPECTED = "Something went wrong on the server. It has been written down; please try again."
# status, code, sentence. None: the exception's own sentence is fit for the public.
_RESPONSES: dict[type[Exception], tuple[int, str, str | None]] = {
    InvalidOption: (422, "invalid_option", None),
    ResultTooLarge: (422, "too_large", None),
    NoRecipe: (422, "no_recipe", None),
    BrokenImage: (422, "broken_image", None),
    UnsupportedImage: (415, "unsupported_image", None),
    ImageTooLarge: (413, "image_too_large", None),
    MalformedRequest: (400, "malformed_request", None),
    UnsupportedBody: (415, "unsupported_body", None),
    ExceedsSyncLimit: (422, "too_long", None),
    Busy: (503, "busy", None),
    AlreadyTraining: (409, "already_training", None),
    Missing: (404, "not_found", None),
    NotDone: (404, "not_done", None),
    CrossSiteRequest: (403, "foreign", None),
    Unauthorized: (401, "unknown_key", None),
    WeightsError: (503, "model_unavailable", _NO_MODEL),
    DeviceUnavailable: (503, "model_unavailable", _NO_MODEL),
    OperationalError: (503, "busy", _NO_DATABASE),
    TimeoutError: (503, "busy", _NO_DATABASE),
    Exception: (500, "internal_error", _UNEXPECTED),
}
_MAX_MESSAGE_LENGTH = 2000  # characters: enough for the names of all of an encoder's layers
_MAX_FIELD_LENGTH = 300  # characters: a field that was sent may have any name


def status(error: Exception) -> int:
    return _classify(error)[0]


def public_error(error: Exception) -> dict[str, Any]:
    """Return code, message and, where there is one, field; log an error whose own sentence is not for the public."""
    _, code, sentence = _classify(error)
    field: str | None = getattr(error, "field", None)
    if sentence is not None:
        _log.error("%s: %s", code, error, exc_info=error)
        return {"code": code, "message": sentence} | ({"field": field} if _is_encoder_missing(error) else {})
    message = str(error).removeprefix(f"{field}: ")  # the answer names the field beside the sentence
    if field:
        message = message.replace(field, shorten(field, _MAX_FIELD_LENGTH))
    described = {"code": code, "message": shorten(message[:1].upper() + message[1:])}
    return described | {"field": shorten(field, _MAX_FIELD_LENGTH)} if field else described


def shorten(text: str, longest: int = _MAX_MESSAGE_LENGTH) -> str:
    """Cut the text to so many characters, the last of which is then an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _is_encoder_missing(error: Exception) -> bool:
    """Return whether one encoder's weights are missing, no fault of the server's while there are others."""
    return isinstance(error, WeightsMissing) and error.field == "encoder"


def _classify(error: Exception) -> tuple[int, str, str | None]:
    if _is_encoder_missing(error):
        return 422, "encoder_unavailable", _NO_ENCODER
    return next(_RESPONSES[kind] for kind in type(error).__mro__ if kind in _RESPONSES)
