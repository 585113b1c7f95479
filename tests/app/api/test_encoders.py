"""The list of encoders is what the model has, and says which of them are on this machine."""

from __future__ import annotations

from model.options import PRESETS
from model.refinement.encoder_registry import ENCODERS, SLIM

URL = "/api/v1/encoders"


def test_every_encoder_is_there_with_its_layers(client):
    answer = client.get(URL)
    assert answer.status_code == 200
    listed = {encoder["name"]: encoder for encoder in answer.json["encoders"]}
    assert listed.keys() == ENCODERS.keys()
    for name, encoder in ENCODERS.items():
        told = listed[name]
        assert told["layers"] == list(encoder.layers)
        assert (told["content"], told["style"]) == (dict(encoder.content), dict(encoder.style))
        assert (told["smooth"], told["smallest"]) == (encoder.smooth, encoder.smallest)


def test_those_on_this_machine_are_ready(client, monkeypatch, tmp_path):
    def ready():
        return {encoder["name"] for encoder in client.get(URL).json["encoders"] if encoder["ready"]}

    monkeypatch.setenv("HOME", str(tmp_path))  # where Keras keeps what it downloads
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert ready() == {SLIM}
    (tmp_path / ENCODERS["vgg16"].file).touch()
    assert ready() == {SLIM, "vgg16"}


def test_a_key_that_opens_nothing_is_refused(client):
    assert client.get(URL, headers={"X-API-Key": "guess"}).status_code == 401


def test_the_presets_are_the_models_own(client):
    assert client.get(URL).json["presets"] == PRESETS


def test_what_it_lists_is_taken(client, form):
    for encoder in client.get(URL).json["encoders"]:
        layers = {field: ",".join(encoder["layers"]) for field in ("content_layers", "style_layers")}
        answer = client.post("/api/v1/jobs", data=form(method="gatys", encoder=encoder["name"], **layers))
        assert answer.status_code == 202, answer.text
