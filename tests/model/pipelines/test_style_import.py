"""Imported networks as styles: what they can do, and what is refused in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from API import transfer_style
from model import StylizeOptions, stylize
from model.errors import InvalidOption, WeightsBroken
from model.inference import johnson
from model.inference.magenta import load
from model.networks.johnson_architecture import JOHNSON
from model.options import ClipOptions, RefineOptions
from model.pipelines import compositing, stylization
from model.pipelines.clips import FRAMES_ALONE, stylize_clip
from model.pipelines.contact_sheets import make_contact_sheet
from model.pipelines.refine import refine
from model.pipelines.rerun import rerun
from model.pipelines.style_import import import_style
from model.style_file import StyleFile
from model.weights import johnson_files
from tests.support.clip_files import animation
from tests.support.tiny_weights import write_tiny
from tests.support.torch_files import archive, imported_style, johnson_state, state_dict

FILE = imported_style()
CANDY = FILE.to_bytes()
NETWORK = johnson_files.decode(FILE.network)


def paint(photo: np.ndarray, style: Any, tiny: Path, **options: Any) -> np.ndarray:
    styles = style if isinstance(style, list) else [style]
    return stylize(photo, styles, StylizeOptions(**options), tiny).picture.rgb


def test_a_state_dict_becomes_a_style_file(tmp_path: Path):
    path = tmp_path / "candy.pth"
    path.write_bytes(archive(state_dict(johnson_state(JOHNSON))))
    file = import_style(path, name="Candy", credit="A. Trainer", licence="BSD")
    again = StyleFile.from_bytes(file.to_bytes())
    assert (again.name, again.credit, again.licence) == ("Candy", "A. Trainer", "BSD")
    assert johnson_files.decode(again.network).architecture == JOHNSON


def test_what_is_no_network_is_refused(tmp_path: Path):
    (tmp_path / "candy.pth").write_bytes(b"nonsense")
    with pytest.raises(WeightsBroken, match="is no state dict"):
        import_style(tmp_path / "candy.pth", name="Candy")


def test_it_paints_whatever_the_weights_are(photo: np.ndarray, tiny: Path, tmp_path: Path):
    (tmp_path / "candy.style.json").write_bytes(CANDY)
    pastiche = transfer_style(photo, tmp_path / "candy.style.json", tiny)
    assert np.array_equal(pastiche, johnson.render(NETWORK, photo))
    assert np.array_equal(pastiche, paint(photo, CANDY, write_tiny(tmp_path / "other.npz", seed=1)))


def test_strength_is_its_opacity(photo: np.ndarray, tiny: Path):
    full = paint(photo, CANDY, tiny)
    assert np.array_equal(paint(photo, CANDY, tiny, strength=0), photo)
    assert np.abs(paint(photo, CANDY, tiny, strength=0.25) - (0.25 * full + 0.75 * photo)).max() < 1e-5


def test_above_full_strength_a_note_says_that_there_is_no_more(photo: np.ndarray, tiny: Path):
    pastiche = stylize(photo, [CANDY], StylizeOptions(strength=1.5), tiny)
    assert np.array_equal(pastiche.picture.rgb, paint(photo, CANDY, tiny))
    assert pastiche.notes == [stylization.FULL_AT_MOST]


def test_a_photo_of_one_colour(tiny: Path):
    flat = np.full((48, 40, 3), 0.5, "float32")
    assert np.abs(paint(flat, CANDY, tiny) - johnson.flat_color(NETWORK)).max() < 1e-6


def test_a_blend_is_the_mean_of_the_pictures(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    alone = paint(photo, painting, tiny), paint(photo, CANDY, tiny)
    mixed = paint(photo, [painting, CANDY], tiny, weights=[1, 3])
    assert np.abs(mixed - (0.25 * alone[0] + 0.75 * alone[1])).max() < 1e-5
    others = paint(photo, [CANDY, imported_style(1).to_bytes()], tiny)
    assert np.abs(others - (alone[1] + paint(photo, imported_style(1).to_bytes(), tiny)) / 2).max() < 1e-5


def test_masks_and_regions(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    left = np.zeros(photo.shape[:2], "float32")
    left[:, :64] = 1
    options = StylizeOptions(region_styles=[1, 2])
    pastiche = stylize(photo, [CANDY, painting], options, tiny, masks=[left, 1 - left]).picture.rgb
    assert np.array_equal(pastiche[:, :50], paint(photo, CANDY, tiny)[:, :50])
    assert np.array_equal(pastiche[:, 80:], paint(photo, painting, tiny)[:, 80:])
    masked = stylize(photo, [CANDY], None, tiny, masks=[left]).picture.rgb
    assert np.array_equal(masked[:, 80:], photo[:, 80:])


def test_the_photo_s_colours_can_be_kept(photo: np.ndarray, tiny: Path):
    grey = paint(photo, CANDY, tiny, keep_light=1.0)
    assert np.abs(grey - paint(photo, CANDY, tiny)).max() > 0.05
    both = paint(photo, CANDY, tiny, keep_light=1.0, keep_colours=1.0)
    assert np.abs(both - photo).mean() < 0.02


def test_steady_strength_is_solved(photo: np.ndarray, tiny: Path):
    pastiche = paint(photo, CANDY, tiny, steady=True, strength=0.5)
    difference = compositing.colour_difference(pastiche, photo)
    assert difference == pytest.approx(0.5 * compositing.FULL_STRENGTH_DIFFERENCE, rel=0.1)


def test_notes_say_what_it_cannot_follow(photo: np.ndarray, tiny: Path):
    notes = stylize(photo, [CANDY], StylizeOptions(network="shared", tiles="always"), tiny).notes
    assert notes == [stylization.NOTHING_SHARED, stylization.NEVER_IN_PIECES]
    assert stylize(photo, [CANDY], None, tiny).notes == []


def test_progress_goes_on_to_the_end(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    shares: list[float] = []
    stylize(photo, [painting, CANDY], None, tiny, on_step=lambda step: shares.append(step.step / step.steps))
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("options", [{"match_colours": "histogram"}, {"style_scale": 2.0}])
def test_what_needs_a_painting_is_refused(photo: np.ndarray, tiny: Path, options: dict[str, Any]):
    with pytest.raises(InvalidOption, match="needs the painting itself"):
        paint(photo, CANDY, tiny, **options)


def test_it_has_no_style_vector(painting: np.ndarray, tiny: Path):
    for take in (
        lambda: stylization.style_vector(CANDY, tiny),
        lambda: stylization.make_style_file([painting, CANDY], [0.5, 0.5], tiny, name="Both"),
    ):
        with pytest.raises(InvalidOption, match="imported network, which has no style vector") as caught:
            take()
        assert caught.value.field == "style"


def test_it_cannot_be_refined(photo: np.ndarray, tiny: Path):
    with pytest.raises(InvalidOption, match="give the painting itself"):
        refine(photo, [CANDY], RefineOptions(), model_path=tiny)


def test_a_network_of_another_kind_is_refused(photo: np.ndarray, tiny: Path):
    broken = StyleFile.with_imported(b"nonsense", "johnson", name="Candy").to_bytes()
    with pytest.raises(InvalidOption, match="no network of a style") as caught:
        paint(photo, broken, tiny)
    assert caught.value.field == "style"


def test_the_same_again_needs_its_style_file(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    pastiche = stylize(photo, [CANDY], StylizeOptions(strength=0.5), tiny)
    (recorded,) = pastiche.recipe["styles"]
    assert recorded["network_sha256"] == FILE.network_sha256
    assert "vector" not in recorded
    again = rerun(pastiche.recipe, photo, [CANDY], model_path=tiny)
    assert np.array_equal(again.picture.rgb, pastiche.picture.rgb)
    with pytest.raises(InvalidOption, match="its style file"):
        rerun(pastiche.recipe, photo, model_path=tiny)
    for other in (painting, imported_style(1).to_bytes()):
        with pytest.raises(InvalidOption, match="is not the one"):
            rerun(pastiche.recipe, photo, [other], model_path=tiny)


def test_a_contact_sheet(photo: np.ndarray, tiny: Path):
    assert make_contact_sheet(photo, [CANDY], model_path=tiny).cells


def test_a_clip_is_painted_frame_by_frame(painting: np.ndarray, tiny: Path, tmp_path: Path):
    report = stylize_clip(animation(), [CANDY], tmp_path / "out.webp", ClipOptions(size=64), tiny)
    assert (report.complete, report.notes) == (True, [FRAMES_ALONE])
    mixed = stylize_clip(animation(), [CANDY, painting], tmp_path / "both.webp", ClipOptions(size=64), tiny)
    assert mixed.complete


def test_a_frame_is_the_mean_of_its_parts(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    from model.pipelines.clips import FramePainter
    from model.pipelines.compositing import StyleLayer
    from model.pipelines.style_mixing import StylePoint

    network = load(tiny)
    vector = network.embed(painting)
    layer = StyleLayer(((StylePoint(vector), 0.5), (NETWORK, 0.5)), 1.0)
    painter = FramePainter(network, layer, ClipOptions(smooth=0), np.zeros(0, "float32"))
    painter.observe(photo)
    expected = (network.render(photo, vector) + johnson.render(NETWORK, photo)) / 2
    assert np.abs(painter.paint() - expected).max() < 1e-3
