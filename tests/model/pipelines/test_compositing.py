"""What is laid on a photo, where, and with which colours, on a small network."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from API import transfer_style
from model import StylizeOptions, style_vector, stylize
from model.errors import ImageTooLarge, InvalidOption
from model.hardware import memory
from model.imaging import color, image_files, pixel_ops
from model.inference.tiling import renderer
from model.options import MAX_STRENGTH
from model.pipelines import coarse_to_fine, compositing, stylization
from model.progress import Cancelled, Step


@pytest.fixture
def left() -> np.ndarray:
    """White on the left, black on the right."""
    mask = np.zeros((96, 128), "uint8")
    mask[:, :64] = 255
    return mask


@pytest.fixture
def other(painting: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(painting[::-1, :, ::-1] ** 2)


def test_where_no_mask_reaches_the_photo_stays(photo: np.ndarray, painting: np.ndarray, left: np.ndarray, tiny: Path):
    masked = transfer_style(photo, painting, tiny, mask=left)
    whole = transfer_style(photo, painting, tiny)
    assert np.array_equal(masked[:, 64:], photo[:, 64:])
    assert np.array_equal(masked[:, :64], whole[:, :64])
    assert np.array_equal(transfer_style(photo, painting, tiny, mask=left, paint="outside")[:, :64], photo[:, :64])


def test_an_empty_mask_is_the_photo_to_the_last_bit(photo_png: bytes, painting: np.ndarray, tiny: Path, tmp_path: Path):
    nothing = np.zeros((96, 128), "uint8")
    file = tmp_path / "out.png"
    stylization.stylize_file(photo_png, [painting], file, StylizeOptions(feather=5), tiny, masks=[nothing])
    assert np.array_equal(np.asarray(Image.open(file)), np.asarray(Image.open(io.BytesIO(photo_png))))


def test_each_region_has_its_style_and_strength(
    photo: np.ndarray, painting: np.ndarray, other: np.ndarray, left: np.ndarray, tiny: Path
):
    options = {"region_strengths": [1, 0.5]}
    both = transfer_style(photo, [painting, other], tiny, mask=[left, 255 - left], **options)
    assert np.array_equal(both[:, :64], transfer_style(photo, painting, tiny)[:, :64])
    assert np.array_equal(both[:, 64:], transfer_style(photo, other, tiny, strength=0.5)[:, 64:])


def test_later_regions_lie_on_top(
    photo: np.ndarray, painting: np.ndarray, other: np.ndarray, left: np.ndarray, tiny: Path
):
    layered = transfer_style(photo, [painting, other], tiny, mask=["everywhere", left])
    assert np.array_equal(layered[:, :64], transfer_style(photo, other, tiny)[:, :64])
    assert np.array_equal(layered[:, 64:], transfer_style(photo, painting, tiny)[:, 64:])


def test_the_photos_own_alpha_as_a_mask(photo: np.ndarray, painting: np.ndarray, left: np.ndarray, tiny: Path):
    cut_out = np.dstack([photo, left / np.float32(255)])
    masked = transfer_style(cut_out, painting, tiny, mask="alpha")
    assert np.array_equal(masked[:, 64:], photo[:, 64:])
    assert not np.array_equal(masked[:, :64], photo[:, :64])


@pytest.mark.parametrize("kind", ["array", "file", "image"])
def test_a_photo_that_cannot_be_clear_is_no_mask(kind: str, photo: np.ndarray, photo_png: bytes, painting: np.ndarray):
    content = {"array": photo, "file": photo_png, "image": Image.open(io.BytesIO(photo_png))}[kind]
    with pytest.raises(InvalidOption, match="no clear parts") as raised:
        transfer_style(content, painting, mask="alpha")
    assert raised.value.field == "mask"


def test_a_refined_picture_keeps_the_photo_too(photo: np.ndarray, left: np.ndarray):
    from model.imaging.masking import Mask
    from model.options import RefineOptions
    from model.pipelines.refine import postprocess

    refined = 1 - photo
    picture = postprocess(refined, pixel_ops.Picture(photo), RefineOptions(), [Mask(left)])
    assert np.array_equal(picture.rgb[:, 64:], photo[:, 64:])
    assert np.array_equal(picture.rgb[:, :64], refined[:, :64])
    coloured = postprocess(refined, pixel_ops.Picture(photo), RefineOptions(keep_colours=1))
    assert np.array_equal(coloured.rgb, color.preserve_colours(refined, photo, 1, 0))


def test_colours_are_kept_after_the_fact(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    plain = transfer_style(photo, painting, tiny)
    kept = transfer_style(photo, painting, tiny, keep_colours=0.7, keep_light=0.2)
    assert np.array_equal(kept, color.preserve_colours(plain, photo, 0.7, 0.2))
    assert np.array_equal(transfer_style(photo, painting, tiny, keep_colours=1, keep_light=1), photo)


def test_colours_are_matched_before(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    recoloured = color.match_colours(painting, photo, "covariance")
    matched = transfer_style(photo, painting, tiny, match_colours="covariance")
    assert np.array_equal(matched, transfer_style(photo, recoloured, tiny))


def test_brush_size_is_the_scale_of_the_painting(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    pastiches = [transfer_style(photo, painting, tiny, style_scale=scale) for scale in (0.25, 0.5, 1, 2, 4)]
    assert np.array_equal(pastiches[2], transfer_style(photo, painting, tiny))
    differences = [np.abs(pastiche - pastiches[2]).max() for pastiche in pastiches]
    assert all(difference > 1e-4 for number, difference in enumerate(differences) if number != 2)


@pytest.mark.parametrize("options", [{"style_scale": 2}, {"match_colours": "histogram"}])
def test_what_takes_the_painting_itself(photo: np.ndarray, painting: np.ndarray, tiny: Path, options: dict):
    (field,) = options
    with pytest.raises(InvalidOption, match="needs the painting itself") as raised:
        transfer_style(photo, [painting, style_vector(painting, tiny)], tiny, **options)
    assert raised.value.field == field


def test_in_pieces_it_is_the_same_picture(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    whole = transfer_style(photo, painting, tiny, tiles="never")
    assert np.abs(transfer_style(photo, painting, tiny, tiles="always") - whole).max() < 1e-3


def test_what_is_too_small_for_pieces_is_painted_whole(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    speck = photo[:3, :50]
    assert np.array_equal(
        transfer_style(speck, painting, tiny, tiles="always"), transfer_style(speck, painting, tiny, tiles="never")
    )


def test_too_little_memory_for_the_whole(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1_000_000)
    with pytest.warns(UserWarning, match="painted in pieces"):
        pieces = transfer_style(photo, painting, tiny)
    with pytest.raises(ImageTooLarge, match="smaller size"):
        transfer_style(photo, painting, tiny, tiles="never")
    monkeypatch.undo()
    assert np.abs(pieces - transfer_style(photo, painting, tiny)).max() < 1e-3


@pytest.mark.parametrize("area", [0, 10**9], ids=["in pieces", "whole"])
def test_a_file_has_what_a_picture_has(
    photo: np.ndarray, painting: np.ndarray, left: np.ndarray, tiny: Path, tmp_path: Path, area: int, monkeypatch
):
    monkeypatch.setattr(renderer, "TILING_THRESHOLD", area)
    cut_out = np.dstack([(photo * 255 + 0.5).astype("uint8"), 128 + left // 2])
    options = StylizeOptions(size=100, keep_colours=0.3)
    file = tmp_path / "out.png"
    report = stylization.stylize_file(cut_out, [painting], file, options, tiny, masks=[left])
    pastiche = stylize(cut_out, [painting], options, tiny, masks=[left])
    written = image_files.read_eight_bit(file)
    assert np.abs(written.rgb / 255 - pastiche.picture.rgb).max() <= 1 / 255
    assert written.alpha is not None
    assert pastiche.picture.alpha is not None
    assert np.abs(written.alpha / 255 - pastiche.picture.alpha).max() < 1e-6
    assert (report.width, report.height, report.weights) == (100, 75, "tiny")
    assert report.recipe == pastiche.recipe


@pytest.mark.parametrize(
    "asked",
    [
        {"match_colours": "histogram", "tiles": "never"},
        {"match_colours": "covariance", "steady": True, "strength": 0.5, "tiles": "never"},
        {"strength": 0.5, "size": 1100, "tiles": "never"},
    ],
    ids=["histogram", "steady", "larger than what is looked at"],
)
def test_a_file_has_the_very_pixels_of_a_picture(
    photo_png: bytes, painting: np.ndarray, tiny: Path, tmp_path: Path, asked: dict
):
    options, file = StylizeOptions.parse(asked), tmp_path / "out.png"
    stylization.stylize_file(photo_png, [painting], file, options, tiny)
    picture = stylize(photo_png, [painting], options, tiny).picture
    assert np.array_equal(image_files.read_eight_bit(file).rgb, pixel_ops.as_uint8(picture.rgb))


def test_a_file_that_is_cancelled_is_not_there(photo: np.ndarray, painting: np.ndarray, tiny: Path, tmp_path: Path):
    def stop(step: Step) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        stylization.stylize_file(photo, [painting], tmp_path / "out.png", model_path=tiny, on_step=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_resolution_of_a_print_and_that_of_the_photo(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    file = io.BytesIO()
    Image.fromarray((photo * 255).astype("uint8")).save(file, "png", dpi=(72, 72))

    def dpi(**options: object) -> tuple[float, float] | None:
        return stylize(file.getvalue(), [painting], StylizeOptions.parse(options), tiny).picture.dpi

    assert dpi() == pytest.approx((72, 72), abs=0.1)
    assert dpi(dpi=150) == (150, 150)
    assert dpi(print="1x1in") == (300, 300)


def test_steps_of_several_regions_count_on(photo: np.ndarray, painting: np.ndarray, left: np.ndarray, tiny: Path):
    steps: list[Step] = []
    stylize(photo, [painting], None, tiny, steps.append, masks=[left, 255 - left])
    assert [step.step for step in steps] == list(range(1, steps[-1].steps + 1))


@pytest.mark.parametrize("options", [{}, {"tiles": "always"}, {"strength": 0.5}, {"steady": True, "strength": 0.5}])
def test_a_photo_of_one_colour_is_painted_in_one(painting: np.ndarray, tiny: Path, options: dict):
    """Its size is of several bands; one pixel of another colour makes it a photo like others."""
    photo = np.full((300, 40, 3), 0.4, "float32")
    pastiche = transfer_style(photo, painting, tiny, **options)
    assert (pastiche == pastiche[0, 0]).all()
    photo[299, 39] = 0.6
    assert transfer_style(photo, painting, tiny, **options).std(axis=(0, 1)).min() > 1e-4


def test_a_speck_that_the_small_picture_lacks_makes_no_pattern(
    painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(coarse_to_fine, "BRUSH_SIDE", 40)
    monkeypatch.setattr(coarse_to_fine, "MIN_BRUSH_SIDE", 32)
    photo = np.full((120, 160, 3), 128, np.uint8)
    photo[60, 80, 0] = 129
    pastiche = stylize(photo, [painting], StylizeOptions(), tiny).picture.rgb
    assert np.ptp(pastiche, axis=(0, 1)).max() < 0.01


def test_steps_of_a_photo_of_one_colour(painting: np.ndarray, tiny: Path):
    heard: list[Step] = []
    stylize(np.zeros((600, 500, 3), "uint8"), [painting], model_path=tiny, on_step=heard.append)
    assert [heard[0].step, heard[-1].step] == [1, heard[-1].steps]
    assert all(step.seconds_left is None or step.seconds_left >= 0 for step in heard)


STYLES = Path(__file__).resolve().parents[3] / "static" / "styles"


CAT = STYLES / "cat.jpg"


PAINTINGS = ["aurora", "cubes", "engraving", "flow", "vase", "waves"]  # from bold to shy


def tint(photo: np.ndarray, strength: float) -> np.ndarray:
    """A stand-in for a network: the more of the style, the darker."""
    return photo * np.float32(1 - 0.5 * strength)


def test_the_strength_shows_what_was_asked_for(photo: np.ndarray):
    for wanted in (0.1, 0.4, 0.8):
        strength = compositing.solve_strength(wanted, photo, lambda strength: tint(photo, strength))
        assert compositing.colour_difference(tint(photo, strength), photo) == pytest.approx(
            wanted * compositing.FULL_STRENGTH_DIFFERENCE, abs=2e-3
        )


def test_no_strength_is_solved_as_none(photo: np.ndarray):
    assert compositing.solve_strength(0.0, photo, lambda strength: tint(photo, strength)) == 0


def test_a_style_too_shy_gets_all_it_can(photo: np.ndarray):
    assert compositing.solve_strength(1.0, photo, lambda strength: photo) == pytest.approx(MAX_STRENGTH, abs=0.01)


def test_black_and_white_are_one_apart():
    assert compositing.colour_difference(
        np.zeros((2, 2, 3), "float32"), np.ones((2, 2, 3), "float32")
    ) == pytest.approx(1, abs=1e-4)


def effects(is_steady: bool) -> np.ndarray:
    """How much each painting shows on the cat, at half strength."""
    options = StylizeOptions(size=160, strength=0.5, steady=is_steady)
    cat = image_files.read(CAT, long_side=160).rgb
    painted = [stylize(CAT, [STYLES / f"{name}.jpg"], options).picture.rgb for name in PAINTINGS]
    return np.array([compositing.colour_difference(rgb, cat) for rgb in painted])


def test_the_same_strength_shows_as_much_with_every_painting():
    plain, even = effects(False), effects(True)
    assert np.ptp(even) < 0.25 * np.ptp(plain)


def test_the_recipe_says_what_was_solved():
    recipe = stylize(CAT, [STYLES / "aurora.jpg"], StylizeOptions(size=64, strength=0.5, steady=True)).recipe
    assert 0 < recipe["mix"][0] < 1
    assert "mix" not in stylize(CAT, [STYLES / "aurora.jpg"], StylizeOptions(size=64)).recipe
