"""Pictures made again from their recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import stylize
from model.errors import InvalidOption, WeightsMissing
from model.imaging import image_files, metadata, pixel_ops
from model.imaging.pixel_ops import Picture
from model.options import RefineOptions, StylizeOptions
from model.pipelines import recipe_builder
from model.pipelines.recipes import extract, to_options
from model.pipelines.rerun import rerun
from model.weights import registry
from tests.support.recipes import FORMATS, HASH
from tests.support.tiny_weights import write_tiny


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("others") / "other.npz", seed=1)


def same(one: Picture, other: Picture) -> bool:
    return bool(np.array_equal(one.rgb, other.rgb)) and one.dpi == other.dpi


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"strength": 0.6, "size": 80, "keep_colours": 0.5},
        {"steady": True, "strength": 0.5},
        {"style_scale": 2, "match_colours": "covariance", "dpi": 200},
    ],
    ids=["plain", "strength", "steady", "brush"],
)
def test_the_same_again(asked: dict[str, Any], format: Any, tiny: Path, photo_png: bytes, painting: np.ndarray) -> None:
    chosen = StylizeOptions.parse(asked)
    first = stylize(photo_png, [painting], chosen, tiny)
    found = extract(image_files.encode(first.picture, format, recipe=first.recipe))
    again = rerun(found, photo_png, model_path=tiny)
    assert same(first.picture, again.picture)
    assert again.notes == []
    assert again.recipe == {"recipe": 1} | first.recipe or again.recipe == first.recipe
    assert to_options(found) == chosen


def test_the_photo_may_be_a_file_that_is_open(
    tiny: Path, photo_png: bytes, painting: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(photo_png)
    first = stylize(photo_png, [painting], None, tiny)
    with (tmp_path / "photo.png").open("rb") as file:
        assert same(first.picture, rerun(first.recipe, file, model_path=tiny).picture)


def test_the_same_again_in_regions(tiny: Path, photo_png: bytes, painting: np.ndarray) -> None:
    mask = np.zeros((96, 128), np.uint8)
    mask[:, 40:] = 255
    chosen = StylizeOptions(steady=True, region_strengths=[0.4, 0.9], feather=1, weights=[1, 3])
    first = stylize(photo_png, [painting, painting[::-1, :, ::-1]], chosen, tiny, masks=["everywhere", mask])
    found = extract(image_files.encode(first.picture, recipe=first.recipe))
    assert same(first.picture, rerun(found, photo_png, model_path=tiny).picture)
    with_mask = rerun(found, photo_png, [painting, painting[::-1, :, ::-1]], ["everywhere", mask], tiny)
    assert same(first.picture, with_mask.picture)
    with pytest.raises(InvalidOption, match="Mask 2 is not the one") as raised:
        rerun(found, photo_png, masks=["everywhere", 255 - mask], model_path=tiny)
    assert raised.value.field == "mask"
    with pytest.raises(InvalidOption, match="2 masks, not 1"):
        rerun(found, photo_png, masks=[mask], model_path=tiny)


def test_masks_without_their_pictures_must_be_given(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    mask = np.tile(np.array([0, 255], np.uint8).repeat(64), (96, 1))
    first = stylize(photo, [painting], None, tiny, masks=[mask])
    hashed = first.recipe | {"masks": [{"sha256": first.recipe["masks"][0]["sha256"]}]}
    with pytest.raises(InvalidOption, match="only the hash of mask 1"):
        rerun(hashed, photo, model_path=tiny)
    assert same(first.picture, rerun(hashed, photo, masks=[mask], model_path=tiny).picture)


def test_paintings_must_be_those_of_the_recipe(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    assert same(first.picture, rerun(first.recipe, photo, [painting], model_path=tiny).picture)
    with pytest.raises(InvalidOption, match="Style 1 is not the one") as raised:
        rerun(first.recipe, photo, [painting[::-1]], model_path=tiny)
    assert raised.value.field == "style"
    with pytest.raises(InvalidOption, match="1 style, not 2"):
        rerun(first.recipe, photo, [painting] * 2, model_path=tiny)


def test_without_vectors_the_paintings_are_looked_at_again(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], StylizeOptions(style_scale=2), tiny)
    hashed = first.recipe | {"styles": [metadata._without_key(first.recipe["styles"][0], "vector")]}
    with pytest.raises(InvalidOption, match="only the hashes of its styles"):
        rerun(hashed, photo, model_path=tiny)
    assert same(first.picture, rerun(hashed, photo, [painting], model_path=tiny).picture)


def test_another_photo_is_noted(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    assert rerun(first.recipe, photo[::-1], model_path=tiny).notes == [
        "This is not the photo that the recipe was made with, so the result is another picture."
    ]
    turned = rerun(first.recipe, photo.swapaxes(0, 1), model_path=tiny)
    assert turned.picture.rgb.shape == (128, 96, 3)
    assert "other proportions" in turned.notes[0]


def test_a_larger_copy_of_the_photo_gives_the_size_of_the_recipe(
    tiny: Path, photo: np.ndarray, painting: np.ndarray
) -> None:
    first = stylize(photo, [painting], None, tiny)
    again = rerun(first.recipe, photo.repeat(2, 0).repeat(2, 1), model_path=tiny)
    assert again.picture.rgb.shape == photo.shape
    assert "size" not in again.recipe


def test_a_print_of_another_copy_of_the_photo_is_as_large_on_paper(
    tiny: Path, photo: np.ndarray, painting: np.ndarray
) -> None:
    first = stylize(photo, [painting], StylizeOptions(print="1x1cm"), tiny)
    again = rerun(first.recipe, pixel_ops.resize(photo, (224, 300)), model_path=tiny)
    assert again.picture.rgb.shape[1] == first.picture.rgb.shape[1] == 118
    assert again.picture.dpi == (300, 300)


def test_other_versions_are_noted(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    older = first.recipe | {"versions": recipe_builder.library_versions() | {"tensorflow": "1.0"}}
    assert "other versions of tensorflow" in rerun(older, photo, model_path=tiny).notes[0]


def test_weights_that_are_not_here_are_named(tiny: Path, other: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    digits = first.recipe["weights_sha256"][:12]
    for model_path in (other, None):
        with pytest.raises(WeightsMissing, match=rf"'tiny' \({digits}\).+ put their file") as raised:
            rerun(first.recipe, photo, model_path=model_path)
        assert raised.value.field == "model_path"


def test_weights_are_found_by_their_hash(
    tiny: Path, photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = stylize(photo, [painting], None, tiny)
    (tmp_path / registry.SHIPPED_MAGENTA.name).write_bytes(tiny.read_bytes())
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert same(first.picture, rerun(first.recipe, photo).picture)


def test_the_same_again_with_the_weights_that_ship(photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], StylizeOptions(size=64), "magenta-small")
    found = extract(image_files.encode(first.picture, "jpeg", recipe=first.recipe))
    assert same(first.picture, rerun(found, photo).picture)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_refinement_again(photo: np.ndarray, painting: np.ndarray) -> None:
    from model import refine

    asked = {"preset": "fast", "encoder": "vgg19-slim", "size": 100, "steps": 2, "start": "noise", "seed": 5}
    first = refine(photo, [painting], RefineOptions.parse(asked))
    found = extract(image_files.encode(first.picture, "webp", recipe=first.recipe))
    with pytest.raises(InvalidOption, match="give them, in their order"):
        rerun(found, photo)
    again = rerun(found, photo, [painting])
    assert same(first.picture, again.picture)
    assert again.notes == first.notes
    stopped = found.model_copy(update={"ended": "stopped"})
    assert "stopped early" in rerun(stopped, photo, [painting]).notes[-1]
    other_encoder = found.model_copy(update={"weights_sha256": HASH})
    with pytest.raises(WeightsMissing, match="'vgg19-slim'"):
        rerun(other_encoder, photo, [painting])


@pytest.mark.usefixtures("tiny_encoder")
def test_a_refinement_begins_with_a_pastiche_of_the_same_weights(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, other: Path
) -> None:
    from model import refine

    asked = RefineOptions.parse({"preset": "fast", "size": 100, "steps": 1})
    first = refine(photo, [painting], asked, model_path=tiny)
    assert same(first.picture, rerun(first.recipe, photo, [painting], model_path=tiny).picture)
    with pytest.raises(WeightsMissing, match="the weights 'tiny'"):
        rerun(first.recipe, photo, [painting], model_path=other)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_refinement_that_began_with_a_picture(photo: np.ndarray, painting: np.ndarray) -> None:
    from model import refine

    asked = {"preset": "fast", "encoder": "vgg19-slim", "size": 100, "steps": 2}
    first = refine(photo, [painting], RefineOptions.parse(asked), start=painting)
    with pytest.raises(InvalidOption, match="give it as start") as raised:
        rerun(first.recipe, photo, [painting])
    assert raised.value.field == "start"
    assert same(first.picture, rerun(first.recipe, photo, [painting], start=painting).picture)
