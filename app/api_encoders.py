"""/api/v1/encoders: the networks that judge refinements, and the presets to start from."""

from __future__ import annotations

from flask import Blueprint, Response

from app import owners
from app.schemas import EncoderAnswer, EncodersAnswer
from model.encoder_layers import ENCODERS
from model.options import PRESETS

api_encoders = Blueprint("api_encoders", __name__, url_prefix="/api/v1/encoders")


@api_encoders.get("")
def encoders() -> Response:
    owners.owner()  # refuses a key that opens nothing
    found = [EncoderAnswer.of(encoder) for encoder in ENCODERS.values()]
    return EncodersAnswer(encoders=found, presets=PRESETS).response()
