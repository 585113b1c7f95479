"""The encoders of keras.applications, and options with which a refinement takes seconds."""

from __future__ import annotations

from model.options import RefineOptions
from model.refinement.encoder_registry import ENCODERS, SLIM

APPLICATIONS = [name for name in ENCODERS if name != SLIM]
MODULES = {"resnet50v2": "resnet_v2", "densenet121": "densenet"}  # of keras.applications, where named otherwise


def quick_options(**values: object) -> RefineOptions:
    quick = {"encoder": SLIM, "steps": 12, "scales": 2, "start": "content", "variation_weight": 0}
    return RefineOptions.parse(quick | values)
