"""Recipes: read from a result's file, refused where broken, and turned into options."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from model.errors import NoRecipe
from model.imaging import image_files, metadata
from model.options import RefineOptions, StylizeOptions
from model.pipelines.recipes import Recipe, extract, to_options
from tests.support.images import photo_with_secrets
from tests.support.recipes import FORMATS, HASH, flat, recipe_dict


def carrying(text: str, **chunk: Any) -> bytes:
    """A PNG with this text in the place of a recipe."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt(metadata.PNG_KEYWORD, text, **chunk)
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def plain(format: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, format)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        *(plain(kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")),
    ],
)
def test_pictures_without_one(data: bytes) -> None:
    with pytest.raises(NoRecipe, match=r"^This picture has no recipe: .+\.$") as raised:
        extract(data)
    assert raised.value.field == "picture"


def test_a_photo_with_comments_of_its_own_has_none(tmp_path: Path) -> None:
    with pytest.raises(NoRecipe, match="was not made here"):
        extract(photo_with_secrets())
    with pytest.raises(NoRecipe, match="there is no file"):
        extract(tmp_path / "nowhere.png")


BROKEN = {
    "cut short": json.dumps(recipe_dict())[:-20],
    "no object": "[1]",
    "empty": "{}",
    "deep": "{" + '"a":{' * 5000,
    "unknown method": json.dumps(recipe_dict(method="magic")),
    "no styles": json.dumps(recipe_dict(styles=[])),
    "nine styles": json.dumps(recipe_dict(styles=[{"weight": 1}] * 9)),
    "no size": json.dumps(recipe_dict(width=0)),
    "not a number": json.dumps(recipe_dict(height=float("nan"))),
    "no hash": json.dumps(recipe_dict(weights_sha256="abc")),
    "vector cut short": json.dumps(recipe_dict(styles=[{"weight": 1, "vector": "AAAA"}])),
    "vector of others": json.dumps(recipe_dict(styles=[recipe_dict()["styles"][0] | {"vector_sha256": HASH}])),
    "vector no base64": json.dumps(recipe_dict(styles=[{"weight": 1, "vector": "é"}])),
    "mask of a word": json.dumps(recipe_dict(masks=["somewhere"])),
    "mask no picture": json.dumps(recipe_dict(masks=[{"sha256": HASH, "png": "AAAA"}])),
    "options as a list": json.dumps(recipe_dict(strength=[1])),
    "strength out of range": json.dumps(recipe_dict(strength=7)),
    "weights of nothing": json.dumps(recipe_dict(styles=[{"weight": 0}, {"weight": 0}])),
    "a strength for no mask": json.dumps(recipe_dict(region_strengths=[1])),
    "shares for other masks": json.dumps(recipe_dict(steady=True, mix=[1, 1])),
    "a name that fits no file": json.dumps(recipe_dict(styles=[{"weight": 1, "name": "x" * 81}])),
    "too many": json.dumps(recipe_dict(padding="x" * metadata.MAX_TEXT_BYTES)),
    "refinement out of range": json.dumps(recipe_dict(method="gatys", steps=0)),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_recipes_are_no_recipe(text: str) -> None:
    with pytest.raises(NoRecipe, match=r"^This picture has no recipe: .+\.$"):
        extract(carrying(text))


def test_a_recipe_of_a_newer_version_says_so() -> None:
    with pytest.raises(NoRecipe, match="newer version"):
        extract(carrying(json.dumps(recipe_dict(recipe=2))))


def test_a_bomb_of_compressed_text_does_not_go_off() -> None:
    with pytest.raises(NoRecipe):
        extract(carrying("{" + " " * 50_000_000, zip=True))


def test_the_picture_itself_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [image_files.encode(flat(), format, recipe=recipe_dict()) for format in FORMATS]
    huge = bytearray(files[0])
    huge[16:24] = struct.pack(">2I", 2**30, 2**30)
    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    for data in (*files, bytes(huge)):
        assert extract(data).width == 30


def test_a_recompressed_text_is_read_too() -> None:
    assert extract(carrying(json.dumps(recipe_dict()), zip=True)).width == 30


def test_options_come_back() -> None:
    styles = [{"weight": 0.75}, {"weight": 0.25}]
    found = to_options(recipe_dict(styles=styles, size=640, tiles="always", format="tiff", mix=[0.2], steady=True))
    expected = {"strength": 0.5, "keep_colours": 0.25, "size": 640, "tiles": "always", "format": "tiff", "steady": True}
    assert found == StylizeOptions.parse(expected | {"weights": [0.75, 0.25]})


def test_options_of_a_refinement_come_back() -> None:
    asked = RefineOptions(preset="fast", seed=7, size=300, encoder="vgg19-slim")
    used = asked.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    assert to_options(recipe_dict(method="gatys", keep_colours=0) | used | {"strength": 1}) == asked
    assert to_options(recipe_dict(method="gatys", start="given", width=400)).model_dump()["size"] == 400


def test_a_dict_that_is_no_recipe() -> None:
    with pytest.raises(NoRecipe):
        to_options({"method": "magenta"})


def test_a_recipe_is_tolerant_of_additions() -> None:
    found = Recipe.model_validate(recipe_dict(styles=[recipe_dict()["styles"][0] | {"mood": "calm"}], later=1))
    assert found.to_dict()["styles"][0]["mood"] == "calm"
    assert found.to_dict()["later"] == 1
