"""Recipes over HTTP: every picture carries one, in every kind of file, and gives all the settings back."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from app.api import restore
from app.jobs import style_builder
from app.storage.gallery import shipped
from model.imaging import image_files, pixel_ops
from model.pipelines import recipe_builder, recipes, stylization
from tests.support.requests import (
    LEFT,
    NEGATIVE,
    NEGATIVE_SHA256,
    b64,
    data_url,
    error_of,
    from_data_url,
    pixels,
    png,
    upload,
    wait_until,
)
from tests.support.requests import URL as STYLIZE
from tests.support.stored_results import add_result
from tests.support.torch_files import imported_style

URL = "/api/v1/recipe"
WISHES = {"strength": 0.8, "keep_colours": 0.5, "size": 64, "dpi": 120, "steady": True}
NUMBERS = np.arange(4, dtype="float32")


def written(**more) -> dict:
    """A recipe with a style that is nobody's painting."""
    numbers = {"vector": b64(NUMBERS.tobytes()), "weight": 1.0, "name": "Tide", "credit": "A. Painter"}
    about = {"method": "magenta", "weights": NEGATIVE, "weights_sha256": NEGATIVE_SHA256, "width": 8, "height": 6}
    return about | {"styles": [numbers]} | more


def carrying(told: dict, format: str = "png") -> bytes:
    return image_files.encode(pixel_ops.Picture(np.full((6, 8, 3), 0.5, "float32")), format, recipe=told)


def read(client, picture: bytes) -> dict:
    answer = client.post(URL, data={"picture": upload(picture)})
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])
def test_a_picture_gives_back_what_it_was_asked_with(client, form, format):
    wishes = {name: "yes" if value is True else str(value) for name, value in WISHES.items()}
    painted = client.post(STYLIZE, data=form(style=["mosaic", "ink"], weights="3,1", format=format, **wishes))
    found = read(client, painted.data)
    assert found["options"].items() >= ({"method": "magenta", "format": format} | WISHES).items()
    assert found["styles"] == [
        {"id": "mosaic", "name": "Mosaic", "weight": 0.75},
        {"id": "ink", "name": shipped_name("ink"), "weight": 0.25},
    ]
    assert (found["masks"], found["notes"]) == ([], [])


def shipped_name(id: str) -> str:
    return next(style.name for style in shipped() if style.id == id)


def test_what_comes_back_paints_the_same_again(client, form, photo_png):
    fields = form(style=["mosaic", "ink"], weights="3,1", mask=["everywhere", upload(png(LEFT))])
    painted = client.post(STYLIZE, data=fields | {"region_strengths": "1,0.25", "keep_light": "0.5"}).data
    found = client.post(URL, json={"picture": data_url(painted)}).json
    styles = [{"name": style["id"], "weight": style["weight"]} for style in found["styles"]]
    again = {"content": b64(photo_png), "style": styles, "mask": found["masks"]}
    assert (pixels(client.post(STYLIZE, json=found["options"] | again).data) == pixels(painted)).all()


def test_it_says_whose_the_styles_are_and_nothing_of_the_files(client, form, photo_png, painting_png):
    own = {"picture": upload(painting_png), "name": "Low tide", "credit": "Ann", "licence": "CC0"}
    client.post("/api/v1/styles", data=own)
    painted = client.post(
        STYLIZE,
        data=form(
            content=upload(photo_png, "holiday-with-bob.png"),
            style=["mosaic", "Low tide", upload(photo_png, "secret-name.png")],
        ),
    ).data
    styles = recipes.extract(painted).to_dict()["styles"]
    mosaic = next(style for style in shipped() if style.id == "mosaic")
    words = [tuple(style.get(name, "") for name in ("name", "credit", "licence")) for style in styles]
    assert words == [(mosaic.name, mosaic.credit, mosaic.licence), ("Low tide", "Ann", "CC0"), ("", "", "")]
    for private in (b"holiday", b"secret"):
        assert private not in painted


def test_a_job_s_picture_carries_it_into_every_kind_of_file(new_app, form):
    client = new_app(worker=True).test_client()
    client.get("/")
    job = client.post("/api/v1/jobs", data=form(style="mosaic", strength="0.5", format="jpeg")).json
    wait_until(lambda: client.get(f"/api/v1/jobs/{job['id']}").json["state"] == "done")
    files = [f"/api/v1/jobs/{job['id']}/result"]
    files += [f"/results/{job['id']}/picture.{kind}" for kind in ("png", "jpeg", "webp", "tiff")]
    for file in files:
        told = recipes.extract(client.get(file).data).to_dict()
        assert (told["strength"], told["styles"][0]["name"], told["styles"][0]["licence"]) == (0.5, "Mosaic", "CC0-1.0")


def test_an_earlier_result_without_one_can_be_had_in_every_kind(app, ann, photo_png):
    id = add_result(app, "ann", photo_png)
    for kind in ("png", "jpeg", "webp", "tiff"):
        answer = ann.get(f"/results/{id}/picture.{kind}")
        assert Image.open(io.BytesIO(answer.data)).format == kind.upper()


def test_ones_own_painting_is_found_and_anothers_is_not(app, ann, bob, form, painting_png):
    own = ann.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Swirl"}).json["id"]
    painted = ann.post(STYLIZE, data=form(style="Swirl")).data
    assert read(ann, painted)["styles"] == [{"id": own, "name": "Swirl", "weight": 1.0}]
    [other] = read(bob, painted)["styles"]
    assert other.keys() == {"name", "file", "weight"}


def test_ones_own_numbers_are_found(ann, form, painting_png):
    numbers = {"picture": upload(painting_png), "name": "Numbers", "keep": "vector"}
    own = ann.post("/api/v1/styles", data=numbers).json["id"]
    painted = ann.post(STYLIZE, data=form(style="Numbers")).data
    assert read(ann, painted)["styles"] == [{"id": own, "name": "Numbers", "weight": 1.0}]


def test_what_is_not_here_comes_as_a_style_file_that_paints(client, form):
    [style] = read(client, carrying(written()))["styles"]
    file = json.loads(style["file"])
    assert (style["name"], file["name"], file["credit"], file["weights"]) == ("Tide", "Tide", "A. Painter", NEGATIVE)
    assert client.post(STYLIZE, data=form(style=upload(style["file"].encode()))).status_code == 200


def test_numbers_that_have_their_brush_already_are_not_asked_for_it_again(client, form):
    found = read(client, carrying(written(style_scale=2.0, match_colours="histogram")))
    assert (found["options"]["style_scale"], found["options"]["match_colours"]) == (1, "none")
    assert len(found["notes"]) == 1
    style = upload(found["styles"][0]["file"].encode())
    options = {name: str(value) for name, value in found["options"].items()}
    assert client.post("/api/v1/jobs", data=form(style=style, **options)).status_code == 202


def test_weights_that_are_not_here_are_named(client):
    found = read(client, carrying(written(weights="v1-256", weights_sha256="ab" * 32)))
    assert found["styles"] == [{"name": "Tide", "weight": 1.0}]
    [note] = found["notes"]
    assert "'v1-256' (abababababab)" in note


@pytest.mark.parametrize("numbers", [[float("nan")] * 4, [float("inf"), 0, 0, 1], [1e9, 0, 0, 1], [0.0] * 5000])
def test_numbers_that_no_painting_has_are_told_and_make_no_style_file(client, numbers):
    spoilt = {"vector": b64(np.array(numbers, "<f4").tobytes()), "name": "Tide"}
    found = read(client, carrying(written(styles=[spoilt])))
    assert found["styles"] == [{"name": "Tide", "weight": 1.0}]
    assert ["“Tide”" in note for note in found["notes"]] == [True]


def test_an_imported_network_is_found_and_otherwise_its_style_file_is_asked_for(app, client, ann, painter):
    file = imported_style()
    imported = {"network_sha256": file.network_sha256, "weight": 1.0, "name": "Candy"}
    picture = carrying(written(styles=[imported]))
    assert read(client, picture)["notes"] == [restore._IMPORTED_STYLE.format("Candy")]
    painter.use_library("stylize")
    style = style_builder.add_file(app.extensions["library"], app.extensions["engine"], "ann", file.to_bytes())
    again = read(ann, picture)
    assert (again["notes"], again["styles"][0]["id"]) == ([], style.id)


def test_a_refinement_says_what_its_recipe_lacks(client):
    told = written(method="gatys", weights="vgg19-slim", weights_sha256="cd" * 32, start="given", size=256)
    told["styles"] = [{"weight": 1.0, "sha256": "ef" * 32, "name": "Tide"}]
    found = read(client, carrying(told))
    assert found["options"].items() >= {"method": "gatys", "start": "pastiche", "size": 256}.items()
    assert found["styles"] == [{"name": "Tide", "weight": 1.0}]
    assert len(found["notes"]) == 3


def test_a_painting_that_was_refined_is_found_by_what_was_looked_at(client):
    mosaic = next(style for style in shipped() if style.id == "mosaic")
    told = written(method="gatys", weights="vgg19-slim", weights_sha256=None, size=128)
    told["styles"] = [{"weight": 1.0, "sha256": recipe_builder.pixels_sha256(stylization.read_style(mosaic.file, 128))}]
    assert read(client, carrying(told))["styles"][0]["id"] == "mosaic"


def test_a_mask_that_is_only_hashed_is_named_and_left_out(client):
    drawn = {"sha256": "0" * 64}
    masks = {"masks": ["everywhere", drawn, "alpha"], "region_styles": [1, 0, 1], "region_strengths": [0.1, 0.2, 0.3]}
    found = read(client, carrying(written(**masks)))
    assert found["masks"] == ["everywhere", "alpha"]
    assert (found["options"]["region_styles"], found["options"]["region_strengths"]) == ([1, 1], [0.1, 0.3])
    assert found["notes"] == ["1 of its masks are not in the recipe, being too large: paint them anew."]


def test_regions_that_took_the_styles_in_turn_are_numbered(client, form):
    masks = ["everywhere", upload(png(LEFT))]
    painted = client.post(STYLIZE, data=form(style=["mosaic", "ink"], mask=masks)).data
    assert read(client, painted)["options"]["region_styles"] == [1, 2]


def test_a_mask_that_is_no_picture_is_none(client):
    for junk in (b64(b"\x89PNG<script>"), b64(png(LEFT)[:30])):
        assert read(client, carrying(written(masks=[{"sha256": "0" * 64, "png": junk}])))["masks"] == []
    whole = read(client, carrying(written(masks=[{"sha256": "0" * 64, "png": b64(png(LEFT))}])))["masks"]
    assert (pixels(from_data_url(whole[0]))[..., 0] == LEFT).all()


JUNK = {
    "none at all": lambda: carrying({}) and image_files.encode(pixel_ops.Picture(np.zeros((4, 4, 3), "float32"))),
    "no picture": lambda: b"<svg/>",
    "cut off": lambda: carrying(written())[:200],
    "no styles": lambda: carrying(written(styles=[])),
    "another method": lambda: carrying(written(method="fast")),
    "a number out of range": lambda: carrying(written(strength=7)),
    "a number that is none": lambda: carrying(written(strength="1e999")),
    "a list for an option": lambda: carrying(written(size=[[[[1]]]])),
    "a broken vector": lambda: carrying(written(styles=[{"vector": "AAA", "weight": 1}])),
    "a mask that is no PNG": lambda: carrying(written(masks=[{"sha256": "0" * 64, "png": b64(b"<svg/>")}])),
    "too many masks": lambda: carrying(written(masks=["alpha"] * 9)),
    "of the future": lambda: carrying(written(recipe=99)),
    "a deep hole": lambda: holed(b"[" * 100_000),
    "half a character": lambda: holed(b'{"method": "\\ud800"}'),
    "a bomb": lambda: bomb(),
    "a GIF": lambda: gif(),
}


def holed(text: bytes) -> bytes:
    from PIL import PngImagePlugin

    chunks, file = PngImagePlugin.PngInfo(), io.BytesIO()
    chunks.add_itxt("pastiche-recipe", text.decode())
    Image.new("L", (2, 2)).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def bomb() -> bytes:
    """A megabyte of nothing, in a chunk that says how much more it will be."""
    from PIL import PngImagePlugin

    chunks, file = PngImagePlugin.PngInfo(), io.BytesIO()
    chunks.add_itxt("pastiche-recipe", "{" + " " * 30_000_000 + "}", zip=True)
    Image.new("L", (2, 2)).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("L", (2, 2)).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize("kind", JUNK)
def test_whatever_has_none_is_told_so_calmly(client, kind):
    picture = JUNK[kind]()
    for answer in (
        client.post(URL, data={"picture": upload(picture)}),
        client.post(URL, json={"picture": b64(picture)}),
    ):
        assert answer.status_code == 422, answer.text
        error = error_of(answer)
        assert (error["code"], error["field"]) == ("no_recipe", "picture")
        assert error["message"].startswith("This picture has no recipe: ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": {"picture": ""}}, "picture"),
        ({"data": {"image": "x"}}, "image"),
        ({"json": {}}, "picture"),
        ({"json": {"picture": 7}}, "picture"),
        ({"json": {"picture": "AAAA", "strength": 1}}, "strength"),
    ],
)
def test_what_is_no_question(client, body, field):
    kind = {} if "json" in body else {"content_type": "multipart/form-data"}
    answer = client.post(URL, **body, **kind)
    assert (answer.status_code, error_of(answer)["field"]) == (422, field)


def test_a_large_file_is_refused(new_app):
    client = new_app(upload_megabytes=0.001).test_client()
    client.application.config["MAX_CONTENT_LENGTH"] = 1_000_000
    answer = client.post(URL, data={"picture": upload(b"x" * 2000)})
    assert (answer.status_code, error_of(answer)["code"]) == (413, "image_too_large")


def test_the_styles_that_ship_are_hashed_once(client, form, monkeypatch):
    painted = client.post(STYLIZE, data=form(style="mosaic")).data
    read(client, painted)
    monkeypatch.setattr(restore, "_painting_sha256", lambda *_: pytest.fail("hashed anew"))
    assert read(client, painted)["styles"][0]["id"] == "mosaic"
