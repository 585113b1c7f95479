"""Contact sheets: their layout, labels and small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageDraw

from model.errors import ImageError, InvalidOption
from model.imaging import image_files, pixel_ops
from model.inference import magenta
from model.options import SheetOptions, StylizeOptions
from model.pipelines import stylization
from model.pipelines.contact_sheets import Cell, ContactSheet, make_contact_sheet
from model.progress import Cancelled, Step
from tests.support.tiny_weights import write_tiny


@pytest.fixture
def turned(painting: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(painting.swapaxes(0, 1))


def cut(sheet: ContactSheet, cell: Cell) -> np.ndarray:
    return sheet.picture.rgb[cell.y : cell.y + cell.height, cell.x : cell.x + cell.width]


def in_bytes(rgb: np.ndarray) -> np.ndarray:
    return (rgb * 255 + 0.5).astype("uint8")


def words_drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    words: list[str] = []
    text = ImageDraw.ImageDraw.text

    def noted(draw: ImageDraw.ImageDraw, place: tuple[float, float], words_: str, *args: object, **named: object):
        words.append(words_)
        text(draw, place, words_, *args, **named)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    return words


def test_each_cell_is_the_pastiche_of_its_style_strength_and_brush_size(
    photo_png: bytes, painting: np.ndarray, turned: np.ndarray, tiny: Path
):
    options = SheetOptions(strengths=[0.3, 1], style_scales=[0.5, 2], size=64, keep_colours=0.5)
    sheet = make_contact_sheet(photo_png, [painting, turned], options, model_path=tiny)
    asked = [(style, scale, strength) for style in (1, 2) for scale in (0.5, 2) for strength in (0.3, 1)]
    assert [(cell.style, cell.style_scale, cell.strength) for cell in sheet.cells] == asked
    for cell in sheet.cells:
        single = StylizeOptions(strength=cell.strength, style_scale=cell.style_scale, size=64, keep_colours=0.5)
        alone = stylization.stylize(photo_png, [(painting, turned)[cell.style - 1]], single, tiny)
        assert np.array_equal(in_bytes(cut(sheet, cell)), in_bytes(alone.picture.rgb))


def test_the_grid_has_a_column_for_each_strength_and_a_row_for_each_style_and_brush_size(
    photo: np.ndarray, painting: np.ndarray, turned: np.ndarray, tiny: Path
):
    options = SheetOptions(strengths=[0.3, 0.6, 1], style_scales=[1, 2], size=64)
    sheet = make_contact_sheet(photo, [painting, turned], options, model_path=tiny)
    height, width = sheet.picture.rgb.shape[:2]
    columns = sorted({cell.x for cell in sheet.cells})
    rows = sorted({cell.y for cell in sheet.cells})
    assert (len(columns), len(rows)) == (3, 4)
    for cell in sheet.cells:
        assert columns.index(cell.x) == [0.3, 0.6, 1].index(cell.strength)
        assert rows.index(cell.y) == 2 * (cell.style - 1) + [1, 2].index(cell.style_scale)
        assert (cell.width, cell.height) == (64, 48)
        assert cell.x + cell.width < width
        assert cell.y + cell.height < height
    assert min(np.diff(columns)) > 64
    assert min(np.diff(rows)) > 48


def test_around_the_pictures_is_white_paper_with_words_that_can_be_read(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    words = words_drawn(monkeypatch)
    options = SheetOptions(strengths=[0.25, 1], style_scales=[0.5, 1], size=64)
    sheet = make_contact_sheet(photo, [painting], options, ["waves"], tiny)
    assert words == ["strength 0.25", "strength 1", "waves", "brush size 0.5", "brush size 1"]
    assert (sheet.picture.rgb[[0, -1]] == 1).all()
    assert (sheet.picture.rgb[:, [0, -1]] == 1).all()
    head = sheet.picture.rgb[: sheet.cells[0].y]
    assert head.min() < 0.5  # ink


def test_a_brush_size_that_nobody_asked_for_is_not_told(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    words = words_drawn(monkeypatch)
    make_contact_sheet(photo, [painting], SheetOptions(strengths=[1], size=64), model_path=tiny)
    assert words == ["strength 1", "style 1"]


def test_a_long_name_is_cut_where_the_pictures_begin(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    words = words_drawn(monkeypatch)
    options = SheetOptions(strengths=[1], size=64)
    sheet = make_contact_sheet(photo, [painting], options, ["The Great Wave off Kanagawa, from a later print"], tiny)
    assert words[1].startswith("The Great")
    assert words[1].endswith("…")
    cell = sheet.cells[0]
    assert (sheet.picture.rgb[:, cell.x - 5 : cell.x] == 1).all()


@pytest.mark.parametrize("shape", [(96, 8), (8, 96)])
def test_narrow_photos_have_their_words_beside_each_other(painting: np.ndarray, tiny: Path, shape: tuple[int, int]):
    photo = np.full((*shape, 3), 0.5, "float32")
    options = SheetOptions(strengths=[0.25, 0.5, 1], style_scales=[1, 2], size=96)
    sheet = make_contact_sheet(photo, [painting, painting], options, model_path=tiny)
    boxes = [(cell.x, cell.y, cell.x + cell.width, cell.y + cell.height) for cell in sheet.cells]
    apart = [a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1] for a in boxes for b in boxes if a != b]
    assert all(apart)
    columns = sorted({cell.x for cell in sheet.cells})
    assert min(np.diff(columns)) > 70  # as wide as "strength 0.25"


def test_where_a_photo_is_clear_the_paper_shows(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    alpha = np.ones((*photo.shape[:2], 1), "float32")
    alpha[:, :64] = 0
    sheet = make_contact_sheet(
        np.concatenate([photo, alpha], axis=2), [painting], SheetOptions(strengths=[1], size=128), model_path=tiny
    )
    seen = cut(sheet, sheet.cells[0])
    assert (seen[:, :64] == 1).all()
    assert not (seen[:, 64:] == 1).all()


def test_each_painting_is_looked_at_once_for_each_brush_size(
    photo_png: bytes, painting: np.ndarray, turned: np.ndarray, tmp_path: Path
):
    weights = write_tiny(tmp_path / "fresh.npz", seed=3)
    network = magenta.load(weights)
    options = SheetOptions(strengths=[0.4, 0.7, 1], style_scales=[1, 2], size=64)
    make_contact_sheet(photo_png, [painting, turned], options, model_path=weights)
    assert network.predictor_runs == 2 * 2 + 1  # and at the photo


def test_a_photo_is_read_once(photo_png: bytes, painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    reads: list[object] = []
    read = image_files.read

    def noted(source: image_files.ImageSource, **how: object) -> pixel_ops.Picture:
        reads.extend([source] if isinstance(source, bytes) else [])
        return read(source, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(image_files, "read", noted)
    make_contact_sheet(photo_png, [painting], SheetOptions(size=64), model_path=tiny)
    assert reads == [photo_png]


def test_a_style_file_has_its_own_name_and_one_brush_size(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    style = stylization.make_style_file([painting], [1.0], tiny, name="waves").to_bytes()
    words = words_drawn(monkeypatch)
    sheet = make_contact_sheet(photo, [style], SheetOptions(strengths=[1], size=64), model_path=tiny)
    assert words == ["strength 1", "waves"]
    alone = stylization.stylize(photo, [style], StylizeOptions(size=64), tiny)
    assert np.array_equal(in_bytes(cut(sheet, sheet.cells[0])), in_bytes(alone.picture.rgb))
    with pytest.raises(InvalidOption, match="painting itself") as error:
        make_contact_sheet(photo, [style], SheetOptions(style_scales=[1, 2]), model_path=tiny)
    assert error.value.field == "style_scales"


def test_it_tells_of_each_picture_and_can_be_stopped(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    steps: list[Step] = []

    def on_step(step: Step) -> None:
        steps.append(step)
        if step.step == 2:
            raise Cancelled

    sheet = make_contact_sheet(photo, [painting], SheetOptions(strengths=[0.3, 0.6, 1], size=64), (), tiny, on_step)
    assert [(step.step, step.steps) for step in steps] == [(1, 3), (2, 3)]
    assert [cell.strength for cell in sheet.cells] == [0.3, 0.6]
    assert (cut(sheet, sheet.cells[1]) < 1).any()


def test_more_pictures_than_a_sheet_holds(photo: np.ndarray, painting: np.ndarray):
    options = SheetOptions(strengths=[0.1 * n for n in range(1, 9)], style_scales=[0.5, 1, 2])
    with pytest.raises(InvalidOption, match="at most 96 pictures, not 120"):
        make_contact_sheet(photo, [painting] * 5, options)


def test_what_cannot_be_read_is_told_before_any_network_is_loaded(photo: np.ndarray, painting: np.ndarray):
    with pytest.raises(ImageError, match="style"):
        make_contact_sheet(photo, [painting, b"no picture"], model_path="nowhere.npz")
