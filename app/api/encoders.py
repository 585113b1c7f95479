"""/api/v1/encoders: the networks that judge refinements, and the presets."""

from __future__ import annotations

from flask import Blueprint, Response

from app.api.response_schemas import EncoderAnswer, EncodersAnswer
from app.http import identity
from model.options import PRESETS
from model.refinement.encoder_registry import ENCODERS

blueprint = Blueprint("api_encoders", __name__, url_prefix="/api/v1/encoders")


@blueprint.get("")
def encoders() -> Response:
    identity.require_valid_key()
    return EncodersAnswer(
        encoders=[EncoderAnswer.of(encoder) for encoder in ENCODERS.values()], presets=PRESETS
    ).response()
