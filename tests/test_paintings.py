"""The styles that ship are what the code of docs/paintings makes, each of them unlike the others."""

from __future__ import annotations

import json
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docs.paintings import PAINTINGS

ROOT = Path(__file__).resolve().parents[1]
STYLES = ROOT / "static" / "styles"

ENTRIES = {entry["id"]: entry for entry in json.loads((STYLES / "styles.json").read_text("utf-8"))}
SMALL = (120, 96)


@cache
def shipped(name: str) -> Image.Image:
    with Image.open(STYLES / name) as picture:
        return picture.convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean of all pixels' differences, of 255."""
    return float(abs(np.asarray(one, "float32") - np.asarray(other, "float32")).mean())


@cache
def look(name: str) -> np.ndarray:
    """A picture's colours, as shares of 64, wherever they are in it."""
    pixels = np.asarray(shipped(name).resize(SMALL)).reshape(-1, 3) // 64
    counts = np.bincount(pixels @ (16, 4, 1), minlength=64)
    return counts / counts.sum()


def test_table():
    assert list(ENTRIES) == list(PAINTINGS)
    assert len(ENTRIES) >= 16
    for name, entry in ENTRIES.items():
        assert set(entry) == {"id", "name", "about", "credit", "licence", "seed"}
        assert (entry["about"], entry["seed"]) == (PAINTINGS[name].about, PAINTINGS[name].seed)
        assert entry["about"].endswith(".")
        assert "\n" not in entry["about"]
        assert entry["licence"] == "CC0-1.0"
        assert (ROOT / "docs" / "paintings" / f"{name}.py").is_file()
        assert f"docs/paintings/{name}.py" in entry["credit"]


def test_names_are_unique():
    assert len({entry["name"].casefold() for entry in ENTRIES.values()}) == len(ENTRIES)


def test_files():
    expected = {"styles.json", "cat.jpg"} | {f"{name}{end}.jpg" for name in ENTRIES for end in ("", "-cat")}
    assert {path.name for path in STYLES.iterdir()} == expected
    assert sum(path.stat().st_size for path in STYLES.iterdir()) < 2_500_000
    assert all(shipped(f"{name}-cat.jpg").size == shipped("cat.jpg").size for name in ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_ships_is_what_the_code_paints(name: str):
    made = PAINTINGS[name]()
    assert shipped(f"{name}.jpg").size == made.size
    assert difference(shipped(f"{name}.jpg").reduce(4), made.reduce(4)) < 6  # finer strokes blur in a small JPEG


@pytest.mark.parametrize("name", ["dots", "ink", "mosaic"])
def test_a_seed_is_a_painting(name: str):
    first = PAINTINGS[name](SMALL)
    assert first.tobytes() == PAINTINGS[name](SMALL).tobytes()
    assert difference(first, PAINTINGS[name](SMALL, seed=1000)) > 1


@pytest.mark.parametrize("end", ["", "-cat"])
def test_no_two_are_alike(end: str):
    """Neither as paintings nor as what they make of a photo: how much there is of each colour differs, and where."""
    for one, other in combinations(ENTRIES, 2):
        colours = abs(look(f"{one}{end}.jpg") - look(f"{other}{end}.jpg")).sum() / 2
        places = difference(shipped(f"{one}{end}.jpg"), shipped(f"{other}{end}.jpg"))
        assert colours > 0.2, f"{one} and {other} share {1 - colours:.0%} of their colours"
        assert places > 20, f"{one} and {other} differ by {places:.0f} of 255"
