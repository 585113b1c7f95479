"""A refinement's controls: each option of the model has its place, with the model's words, limits and choices."""

from __future__ import annotations

import html

import pytest

from app.pages.refine_form import group_layers
from model.options import PRESETS, RefineOptions
from model.refinement import encoder_registry
from model.refinement.encoder_registry import ENCODERS
from tests.support.explore_page import APART, as_asked, as_numbers


def test_every_option_has_a_control_with_the_models_words(client, explore_fields):
    page = client.get("/explore").text
    fields = explore_fields()
    for name, option in RefineOptions.model_fields.items():
        if name not in APART:
            assert name in fields.attributes
        if name not in (*APART, "preset", "encoder"):
            assert html.escape(option.description).replace("&#x27;", "&#39;") in page
    assert fields.values["method"] == "gatys"


def test_limits_and_choices_are_the_models(explore_fields):
    fields = explore_fields()
    assert fields.choices["optimizer"] == ["adam", "lbfgs"]
    assert fields.choices["preset"] == list(PRESETS)
    assert fields.choices["encoder"] == ["auto", *ENCODERS]
    assert [fields.attributes["size"][name] for name in ("min", "max", "step")] == ["100", "2048", "1"]
    assert [fields.attributes["style_scale"][name] for name in ("min", "max", "step")] == ["0.25", "4", "any"]
    assert fields.attributes["seconds"]["placeholder"] == "unlimited"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_presets_values_are_in_the_controls(explore_fields, preset):
    fields = explore_fields(f"/explore?preset={preset}")
    asked = RefineOptions.parse({"preset": preset})
    assert as_numbers(fields.options()) == as_asked(asked)
    encoder = encoder_registry.get(encoder_registry.best_available() if asked.encoder == "auto" else asked.encoder)
    assert fields.layers("content") == dict.fromkeys(asked.content_layers or encoder.content, "1")


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_an_encoders_layers_are_all_there_with_its_own_chosen(explore_fields, encoder):
    fields = explore_fields(f"/explore?encoder={encoder.name}")
    for kind, usual in (("content", encoder.content), ("style", encoder.style)):
        assert fields.layers(kind) == {layer: f"{weight:g}" for layer, weight in usual.items()}
        names = [name for name in fields.attributes if name.startswith(f"{kind}-layer-")]
        assert names == [f"{kind}-layer-{layer}" for layer in _layers_in_order(encoder)]


def _layers_in_order(encoder):
    weights = {kind: dict.fromkeys(getattr(encoder, kind), "1") for kind in ("style", "content")}
    return [layer.name for stage in group_layers(encoder.layers, weights) for layer in (*stage.unfolded, *stage.folded)]


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_stages_hold_each_layer_once_and_fold_what_nobody_uses(encoder):
    assert sorted(_layers_in_order(encoder)) == sorted(encoder.layers)
    used = {"style": dict.fromkeys(encoder.layers, "0.5"), "content": {}}
    assert not any(stage.folded for stage in group_layers(encoder.layers, used))
    assert not any(
        stage.unfolded for stage in group_layers(encoder.layers, {"style": {encoder.layers[0]: "0.0"}, "content": {}})
    )


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_an_encoder_s_layers_are_in_several_stages(encoder):
    assert len(group_layers(encoder.layers, {"style": {}, "content": {}})) > 1


def test_which_encoders_are_here(client, monkeypatch, tmp_path):
    monkeypatch.setattr(encoder_registry, "find", lambda name: tmp_path if name in ("vgg16", "vgg19-slim") else None)
    page = client.get("/explore").text
    assert "vgg16 · ready" in page
    assert "Automatic: vgg19-slim" in page
    assert "xception · to be downloaded" in page


def test_what_is_no_preset_or_encoder_changes_nothing(explore_fields):
    assert explore_fields("/explore?preset=nothing&encoder=nothing").options() == explore_fields().options()
