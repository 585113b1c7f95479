"""Painting from coarse to fine: the sizes, the enlarged rows, and the detail that is added to them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from model.imaging import pixel_ops
from model.imaging.pixel_ops import RowSource, WriteRows
from model.pipelines import coarse_to_fine
from model.pipelines.coarse_to_fine import (
    BRUSH_SIDE,
    LARGEST_STEP,
    MIN_BRUSH_SIDE,
    PROGRESS_UNITS,
    DetailWriter,
    EnlargedRows,
    level_sizes,
)
from model.progress import OnStage
from tests.support.arrays import noise


@pytest.mark.parametrize("size", [(64, 48), (BRUSH_SIDE, BRUSH_SIDE), (200, 5000)])
def test_small_and_narrow_pictures_are_painted_once(size: tuple[int, int]):
    assert level_sizes(*size) == [size]


@pytest.mark.parametrize("size", [(641, 640), (2048, 1536), (1000, 4000), (20_000, 10_000)])
def test_sizes_grow_from_the_brushs_to_the_pictures(size: tuple[int, int]):
    first, *larger = level_sizes(*size)
    assert max(first) == BRUSH_SIDE or min(first) == MIN_BRUSH_SIDE
    assert larger[-1] == size
    for before, after in pairwise([first, *larger]):
        assert before < after
        assert after[0] / before[0] <= LARGEST_STEP * 1.01
        assert before[0] / before[1] == pytest.approx(size[0] / size[1], rel=0.01)


def test_no_size_costs_more_than_half_of_the_pictures_own_pixels():
    for side in range(700, 9000, 100):
        assert coarse_to_fine.painted_pixels(side, side) <= (1.5 if side > 1000 else 2) * side**2


def test_enlarged_rows_are_the_same_in_bands_as_at_once():
    enlarged = EnlargedRows(pixel_ops.as_uint8(noise(40, 30, 3)), (101, 77))
    whole = enlarged[0:101]
    assert whole.shape == enlarged.shape == (101, 77, 3)
    for first in range(0, 101, 13):
        assert np.abs(enlarged[first : first + 13].astype(int) - whole[first : first + 13]).max() <= 1


def test_a_blur_has_no_detail_to_add():
    enlarged = EnlargedRows(pixel_ops.as_uint8(noise(20, 20, 3)), (60, 60))
    written = write_detail(enlarged, np.full((60, 60, 3), 0.3, "float32"), 60)
    assert np.allclose(written, pixel_ops.as_float(enlarged[0:60]), atol=1e-6)


@pytest.mark.parametrize("band", [1, 7, 59, 60])
def test_detail_is_the_same_in_bands_as_at_once(band: int):
    enlarged, painted = EnlargedRows(pixel_ops.as_uint8(noise(20, 20, 3)), (60, 60)), noise(60, 60, 3, seed=1)
    assert np.allclose(write_detail(enlarged, painted, band), write_detail(enlarged, painted, 60), atol=0.005)


def write_detail(enlarged: EnlargedRows, painted: np.ndarray, band: int) -> np.ndarray:
    """Write `painted` in bands; every row has to come once, from the top."""
    bands: list[np.ndarray] = []

    def write(top: int, rows: np.ndarray) -> None:
        assert top == sum(map(len, bands))
        bands.append(rows.copy())

    add_detail = DetailWriter(enlarged, write)
    for top in range(0, len(painted), band):
        add_detail(top, painted[top : top + band])
    return np.concatenate(bands)


@pytest.fixture
def small_brush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coarse_to_fine, "BRUSH_SIDE", 40)
    monkeypatch.setattr(coarse_to_fine, "MIN_BRUSH_SIDE", 20)


def paint_grid(photo: RowSource, write: WriteRows, on_stage: OnStage | None) -> list[str]:
    """Paint bars, five pixels high whatever the size, over the photo's negative."""
    height = photo.shape[0]
    for done in range(4):
        if on_stage:
            on_stage(done, 4)
    painted = 1 - pixel_ops.as_float(photo[0:height])
    painted[np.arange(height) // 5 % 2 == 0] = 0
    write(0, painted)
    if on_stage:
        on_stage(4, 4)
    return [f"{height} rows"]


@pytest.mark.usefixtures("small_brush")
def test_made_small_again_the_result_is_what_was_painted_first():
    photo = pixel_ops.resize(noise(12, 9, 3), (160, 120)).astype("float32")
    result, first = np.zeros((160, 120, 3), "float32"), np.zeros((40, 30, 3), "float32")
    notes = coarse_to_fine.render(paint_grid, photo, lambda top, rows: np.copyto(result[top : top + len(rows)], rows))
    paint_grid(pixel_ops.resize(photo, (40, 30)), lambda top, rows: np.copyto(first, rows), None)
    assert notes == ["40 rows", "80 rows", "160 rows"]
    assert pixel_ops.psnr(pixel_ops.resize(result, (40, 30)), first) > 18
    alone = np.zeros((160, 120, 3), "float32")
    paint_grid(photo, lambda top, rows: np.copyto(alone, rows), None)
    assert pixel_ops.psnr(pixel_ops.resize(alone, (40, 30)), first) < 10


@pytest.mark.usefixtures("small_brush")
def test_progress_goes_on_through_all_sizes_and_ends_once():
    seen: list[tuple[int, int]] = []
    coarse_to_fine.render(paint_grid, noise(160, 120, 3), lambda top, rows: None, lambda *at: seen.append(at))
    assert [of for _, of in seen] == [PROGRESS_UNITS] * len(seen)
    done = [done for done, _ in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert done.count(PROGRESS_UNITS) == 1


@pytest.mark.usefixtures("small_brush")
def test_what_a_callback_raises_ends_it():
    def stop(done: int, of: int) -> None:
        if done > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coarse_to_fine.render(paint_grid, noise(160, 120, 3), lambda top, rows: None, stop)
