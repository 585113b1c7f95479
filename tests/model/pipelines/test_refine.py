"""Refining through the library's door: any picture in, a pastiche with its recipe and notes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

import API
from model import RefineOptions, refine, style_vector, stylize
from model.errors import ImageTooLarge, InvalidOption, UnsupportedImage, WeightsMissing
from model.hardware import memory
from model.imaging import image_files
from model.imaging.pixel_ops import Picture
from model.options import PRESETS, OptimizerName
from model.pipelines import stylization
from model.pipelines.refine import (
    OPTIMIZER_BYTES_PER_PIXEL,
    check_photo_size,
    refining_bytes_per_pixel,
    resolve_options,
)
from model.progress import Cancelled, Checkpoint, Step
from model.refinement import encoder_registry, encoders, gatys
from tests.support.tiny_weights import write_tiny

KERAS = [name for name in encoder_registry.ENCODERS if name != encoder_registry.SLIM]


pytestmark = pytest.mark.usefixtures("tiny_encoder")


@pytest.fixture(scope="module")
def tiny(folder_of_tiny_encoder: Path) -> Path:
    return write_tiny(folder_of_tiny_encoder / "tiny.npz")


@pytest.fixture
def random_weights(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of the encoders whose files are not here."""
    monkeypatch.setattr(encoders, "_download", lambda encoder, make: make(include_top=False, weights=None))
    encoders._load_version.cache_clear()
    gatys._cached_objective.cache_clear()
    yield
    encoders._load_version.cache_clear()
    gatys._cached_objective.cache_clear()


def quick(**values: object) -> RefineOptions:
    return RefineOptions.parse({"encoder": encoder_registry.SLIM, "size": 128, "steps": 3, "scales": 1} | values)


def test_a_photo_and_a_painting(photo_png: bytes, painting_png: bytes, tiny: Path):
    result = refine(photo_png, [painting_png], quick(), model_path=tiny)
    assert result.picture.rgb.shape == (96, 128, 3)
    assert result.weights == encoder_registry.SLIM
    assert result.seconds > 0
    assert (result.complete, result.notes) == (True, [])


def test_the_recipe_is_all_it_takes(photo: np.ndarray, painting: np.ndarray):
    result = refine(photo, [painting, photo], quick(start="noise", seed=7, weights=[3, 1]))
    recipe = result.recipe
    assert (recipe["method"], recipe["weights"], recipe["precision"]) == ("gatys", encoder_registry.SLIM, "float32")
    assert (recipe["width"], recipe["height"], recipe["start"], recipe["seed"]) == (128, 96, "noise", 7)
    assert [style["weight"] for style in recipe["styles"]] == [0.75, 0.25]
    assert len(recipe["weights_sha256"]) == 64
    given = {name: recipe[name] for name in RefineOptions.model_fields if name in recipe and name != "weights"}
    again = RefineOptions.parse(given | {"weights": [3, 1], "size": 128})
    assert np.array_equal(refine(photo, [painting, photo], again).picture.rgb, result.picture.rgb)


@pytest.mark.parametrize("start", ["pastiche", "content", "noise"])
def test_where_it_begins(photo: np.ndarray, painting: np.ndarray, tiny: Path, start: str):
    steps: list[Step] = []
    refine(photo, [painting], quick(start=start, seed=3), None, steps.append, tiny)
    begin = steps[0].preview.rgb
    expected = {
        "pastiche": lambda: stylize(photo, [painting], model_path=tiny).picture.rgb,
        "content": lambda: photo,
        "noise": lambda: np.random.default_rng(3).random(photo.shape, "float32"),
    }
    assert np.array_equal(begin, expected[start]())
    assert [step.step for step in steps] == [0, 1, 2, 3]
    assert steps[0].losses == {}


def test_a_picture_to_begin_with(photo: np.ndarray, painting: np.ndarray):
    steps: list[Step] = []
    result = refine(photo, [painting], quick(), painting[:48, :64], steps.append)
    assert steps[0].preview.rgb.shape == photo.shape
    assert result.recipe["start"] == "given"
    assert len(result.recipe["start_sha256"]) == 64
    with pytest.raises(UnsupportedImage, match="start"):
        refine(photo, [painting], quick(), b"no picture")


def test_the_photo_s_alpha_is_kept(photo: np.ndarray, painting: np.ndarray):
    alpha = np.zeros((*photo.shape[:2], 1), "float32")
    result = refine(np.dstack([photo, alpha]), [painting], quick(start="content"))
    assert result.picture.alpha.max() == 0


@pytest.mark.parametrize("stop_at", [0, 2])
def test_cancelling_keeps_the_best_so_far(photo: np.ndarray, painting: np.ndarray, stop_at: int):
    steps: list[Step] = []

    def stop(step: Step) -> None:
        steps.append(step)
        if step.step == stop_at:
            raise Cancelled

    result = refine(photo, [painting], quick(start="content"), on_step=stop)
    assert not result.complete
    assert np.array_equal(result.picture.rgb, steps[-1].preview.rgb)
    assert result.recipe["method"] == "gatys"


def test_an_interrupted_refinement_says_so(photo: np.ndarray, painting: np.ndarray, photo_png: bytes):
    steps: list[Step] = []
    checkpoint = Checkpoint(photo_png, 2, 1.0)
    result = refine(photo, [painting], quick(start="content"), on_step=steps.append, resume=checkpoint)
    assert [step.step for step in steps] == [2, 3]
    assert result.recipe["resumed_after"] == 2
    assert result.notes == ["It was interrupted after step 2 and went on from there."]


def test_a_paused_refinement_was_not_interrupted(photo: np.ndarray, painting: np.ndarray, photo_png: bytes):
    result = refine(photo, [painting], quick(start="content"), resume=Checkpoint(photo_png, 2, 1.0, paused=True))
    assert result.notes == ["It was paused after step 2 and went on from there."]


def test_strength_mixes_the_photo_s_own_look_in(photo: np.ndarray, painting: np.ndarray):
    def style(strength: float) -> float:
        steps: list[Step] = []
        refine(photo, [painting], quick(start="content", strength=strength), on_step=steps.append)
        return steps[1].losses["style"]

    none, some, full = style(0), style(0.5), style(1)
    assert none == pytest.approx(0, abs=1e-6)
    assert none < some < full


@pytest.mark.parametrize("kind", ["vector", "file"])
def test_a_style_without_its_artwork_cannot_be_refined(photo: np.ndarray, painting: np.ndarray, tiny: Path, kind: str):
    vector = style_vector(painting, tiny)
    file = stylization.make_style_file([painting], [1.0], tiny, name="swirl").to_bytes()
    with pytest.raises(InvalidOption, match="give the painting itself as style") as caught:
        refine(photo, [vector if kind == "vector" else file], quick(), model_path=tiny)
    assert caught.value.field == "style"


@pytest.mark.parametrize("field", ["content_layers", "style_layers"])
def test_an_unknown_layer_is_answered_with_the_right_ones(photo: np.ndarray, painting: np.ndarray, field: str):
    with pytest.raises(InvalidOption, match=r"no layer 'conv9'.*block1_conv1, block2_conv1") as caught:
        refine(photo, [painting], quick(**{field: "block1_conv1:0.5,conv9"}))
    assert caught.value.field == field


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("encoder", ["auto", *encoder_registry.ENCODERS])
def test_checked_options_say_all_that_will_be_done(preset: str, encoder: str):
    options = resolve_options(RefineOptions.parse({"preset": preset, "encoder": encoder}))
    assert options.encoder in encoder_registry.ENCODERS
    assert options.content_layers
    assert options.style_layers
    assert (
        RefineOptions.parse(options.model_dump(mode="json", exclude_none=True)) == options == resolve_options(options)
    )


def test_an_unknown_layer_s_name_is_not_said_in_full(photo: np.ndarray, painting: np.ndarray):
    with pytest.raises(InvalidOption) as caught:
        refine(photo, [painting], quick(style_layers="x" * 5000))
    assert len(str(caught.value)) < 200


def test_auto_is_what_is_here(photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert refine(photo, [painting], quick(encoder="auto", start="content", steps=1)).weights == encoder_registry.SLIM


def test_weights_that_are_not_here(photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    def offline(**_: object) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(encoders.keras.applications, "VGG16", offline)
    monkeypatch.setattr(encoders, "find", lambda name: None)
    with pytest.raises(WeightsMissing, match="vgg19-slim") as caught:
        refine(photo, [painting], quick(encoder="vgg16", start="content"))
    assert caught.value.field == "encoder"


@pytest.mark.usefixtures("random_weights")
@pytest.mark.parametrize("encoder", KERAS)
def test_every_encoder_refines(photo: np.ndarray, painting: np.ndarray, encoder: str):
    result = refine(photo, [painting], quick(encoder=encoder, start="content", steps=2))
    assert result.weights == encoder
    assert np.isfinite(result.picture.rgb).all()
    assert np.abs(result.picture.rgb - photo).max() > 0.001
    assert result.notes == []


@pytest.mark.usefixtures("random_weights")
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_refines(photo: np.ndarray, painting: np.ndarray, tiny: Path, preset: str):
    options = RefineOptions.parse({"preset": preset, "size": 100, "steps": 2})
    result = refine(photo, [painting], options, model_path=tiny)
    assert result.recipe["preset"] == preset
    assert result.picture.rgb.shape == (75, 100, 3)


def test_a_size_that_does_not_fit_is_lowered(photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    one = encoder_registry.ENCODERS[encoder_registry.SLIM].bytes_per_pixel
    monkeypatch.setattr(memory, "free_bytes", lambda: one * 96 * 128 // 2)
    file = image_files.encode(Picture(photo, dpi=(200, 200)))
    result = refine(file, [painting], quick(start="content"))
    assert result.picture.rgb.shape == (68, 90, 3)
    assert result.picture.dpi == (200, 200)
    assert result.notes == ["Too little memory is free for 128 x 96 pixels, so the size was lowered to 90."]
    assert (result.recipe["width"], result.recipe["height"]) == (90, 68)


def test_no_memory_at_all_is_told(photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    with pytest.raises(ImageTooLarge, match="free") as caught:
        refine(photo, [painting], quick(start="content"))
    assert caught.value.field == "size"


def test_large_styles_and_lbfgs_take_memory_too():
    plain, large, lbfgs = (
        refining_bytes_per_pixel(quick(**values))
        for values in ({"style_scale": 1.5}, {"style_scale": 4}, {"optimizer": "lbfgs"})
    )
    assert plain == encoder_registry.ENCODERS[encoder_registry.SLIM].bytes_per_pixel
    assert large > 4 * plain
    assert lbfgs == plain + OPTIMIZER_BYTES_PER_PIXEL["lbfgs"]


def test_memory_is_known_for_each_optimizer():
    assert OPTIMIZER_BYTES_PER_PIXEL.keys() == set(get_args(OptimizerName))


def test_a_picture_too_narrow_for_the_encoder(painting: np.ndarray):
    with pytest.raises(InvalidOption, match="128 x 13 pixels is too narrow for vgg19-slim, which needs 32") as caught:
        refine(np.zeros((20, 200, 3), "float32"), [painting], quick(start="content"))
    assert caught.value.field == "size"


@pytest.mark.parametrize(("height", "width", "fits"), [(96, 128, True), (200, 49, False), (200, 51, True)])
def test_whether_a_picture_is_too_narrow_is_known_before(height: int, width: int, fits: bool):
    with nullcontext() if fits else pytest.raises(InvalidOption, match="x 128 pixels is too narrow"):
        check_photo_size(height, width, quick())


def test_a_picture_to_begin_with_has_the_photo_s_proportions(photo: np.ndarray, painting: np.ndarray):
    with pytest.raises(InvalidOption, match="begin with is 96 x 96 and the photo 128 x 96") as caught:
        refine(photo, [painting], quick(), start=photo[:, :96])
    assert caught.value.field == "start"


def test_transfer_style_goes_on_to_refine(photo: np.ndarray, painting: np.ndarray, tiny: Path, monkeypatch):
    monkeypatch.setitem(PRESETS, "balanced", {"steps": 2, "encoder": encoder_registry.SLIM})
    result = API.transfer_style(photo, painting, tiny, size=100, refine="balanced")
    assert result.shape == (75, 100, 3)
    expected = refine(photo, [painting], RefineOptions.parse({"size": 100}), model_path=tiny)
    assert np.array_equal(result, expected.picture.rgb)
    with pytest.raises(InvalidOption, match=r"'refine' must be one of fast, .*, not 'better'") as refused:
        API.transfer_style(photo, painting, refine="better")
    assert refused.value.field == "refine"


def test_refine_in_one_line(photo: np.ndarray, painting: np.ndarray, tmp_path: Path):
    steps: list[Step] = []
    options = {"size": 128, "steps": 2, "encoder": encoder_registry.SLIM}
    noise = API.refine(photo, [painting, photo], preset="fast", start="noise", on_step=steps.append, **options)
    assert noise.shape == (96, 128, 3)
    assert len(steps) == 3
    path = tmp_path / "start.png"
    Image.new("RGB", (12, 9), "red").save(path)
    API.refine(photo, painting, start=str(path), on_step=steps.append, **options)
    assert np.allclose(steps[3].preview.rgb, [1, 0, 0], atol=0.01)


def test_what_did_not_go_as_asked_is_a_warning(photo: np.ndarray, painting: np.ndarray, monkeypatch):
    one = encoder_registry.ENCODERS[encoder_registry.SLIM].bytes_per_pixel
    monkeypatch.setattr(memory, "free_bytes", lambda: one * 96 * 64)
    with pytest.warns(UserWarning, match="the size was lowered to 90") as caught:
        API.refine(photo, painting, start="content", size=128, steps=1, encoder=encoder_registry.SLIM)
    assert caught[0].filename == __file__
