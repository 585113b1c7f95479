"""Styles kept as their numbers alone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from model import StylizeOptions, stylize
from model.errors import InvalidOption
from model.pipelines import stylization
from model.style_file import MAX_STYLE_FILE_BYTES, StyleFile, is_style_file
from tests.support.tiny_weights import write_tiny
from tests.support.torch_files import imported_style

ABOUT = {"name": "Waves", "credit": "Anna", "licence": "CC0-1.0"}


@pytest.fixture
def file(painting: np.ndarray, tiny: Path) -> StyleFile:
    return stylization.make_style_file([painting], [1.0], tiny, **ABOUT)


def altered(file: StyleFile, **values) -> bytes:
    return json.dumps(json.loads(file.to_bytes()) | values).encode()


def test_a_file_holds_all_of_the_style(file: StyleFile):
    again = StyleFile.from_bytes(file.to_bytes())
    assert again.model_dump(exclude={"vector"}) == file.model_dump(exclude={"vector"})
    assert np.array_equal(again.vector, file.vector)
    assert again.vector.dtype == np.float32


def test_the_largest_vector_stays_a_small_file(file: StyleFile):
    assert len(file.model_copy(update={"vector": np.ones(768, "float32")}).to_bytes()) < 5000


def test_the_file_paints_as_the_painting_does(
    photo: np.ndarray, painting: np.ndarray, file: StyleFile, tiny: Path, tmp_path
):
    path = tmp_path / "waves.style.json"
    path.write_bytes(file.to_bytes())
    expected = stylize(photo, [painting], None, tiny).picture.rgb
    for style in (file.to_bytes(), path, str(path), io.BytesIO(file.to_bytes())):
        assert np.array_equal(stylize(photo, [style], None, tiny).picture.rgb, expected)


def test_it_blends_with_paintings(photo: np.ndarray, painting: np.ndarray, file: StyleFile, tiny: Path):
    options = StylizeOptions(weights=[1, 3])
    expected = stylize(photo, [painting, photo], options, tiny).picture.rgb
    assert np.array_equal(stylize(photo, [file.to_bytes(), photo], options, tiny).picture.rgb, expected)


def test_the_average_of_paintings(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    one, other = (stylization.style_vector(picture, tiny) for picture in (painting, photo))
    average = stylization.make_style_file([painting, photo], [0.25, 0.75], tiny, **ABOUT)
    assert np.allclose(average.vector, 0.25 * one + 0.75 * other, atol=1e-6)


def test_other_weights_refuse_it(photo: np.ndarray, file: StyleFile, tmp_path: Path):
    others = write_tiny(tmp_path / "others.npz", seed=1)
    with pytest.raises(InvalidOption, match=r"'Waves' was made with the weights 'tiny'.*'others'"):
        stylize(photo, [file.to_bytes()], None, others)


@pytest.mark.parametrize(
    "values",
    [
        {"vector": "not base64"},
        {"vector": "AAA="},
        {"vector": [1, 2]},
        {"vector": None},
        {"name": ""},
        {"name": "x" * 81},
        {"weights_sha256": "0"},
        {"kind": "palette"},
        {"more": 1},
    ],
)
def test_what_is_no_style_file(file: StyleFile, values: dict):
    with pytest.raises(InvalidOption, match="not a style file") as caught:
        StyleFile.from_bytes(altered(file, **values))
    assert caught.value.field == "style"


@pytest.mark.parametrize("data", [b"{", b"{}", b"[]", b"{" + b" " * MAX_STYLE_FILE_BYTES + b"}", b'{"a":' * 20_000])
def test_nonsense_is_no_style_file(data: bytes):
    with pytest.raises(InvalidOption, match="not a style file"):
        StyleFile.from_bytes(data)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e7])
def test_numbers_that_would_paint_nonsense(photo: np.ndarray, file: StyleFile, tiny: Path, number: float):
    spoilt = file.model_copy(update={"vector": np.full_like(file.vector, number)})
    with pytest.raises(InvalidOption, match="numbers of ordinary size"):
        stylize(photo, [spoilt.to_bytes()], None, tiny)


def test_too_long_a_text_is_told(painting: np.ndarray, tiny: Path):
    with pytest.raises(InvalidOption, match="'credit'") as caught:
        stylization.make_style_file([painting], [1.0], tiny, name="Waves", credit="x" * 201)
    assert caught.value.field == "credit"


def test_pictures_do_not_look_like_one(painting_png: bytes, file: StyleFile):
    assert not is_style_file(painting_png)
    assert is_style_file(file.to_bytes())


def test_an_imported_network_has_no_vector_and_names_itself():
    file = imported_style(**ABOUT)
    again = StyleFile.from_bytes(file.to_bytes())
    assert (again.is_imported, again.vector.size, again.network) == (True, 0, file.network)
    assert (again.weights, again.weights_sha256) == ("johnson", again.network_sha256)
    assert (again.name, again.credit, again.licence) == tuple(ABOUT.values())


@pytest.mark.parametrize("values", [{"network": None, "network_sha256": None}, {"weights_sha256": "0" * 64}])
def test_without_a_vector_it_needs_a_network_that_names_itself(values: dict):
    with pytest.raises(InvalidOption, match="not a style file"):
        StyleFile.from_bytes(altered(imported_style(), **values))


def test_a_vector_makes_it_no_imported_one(file: StyleFile):
    assert not file.is_imported
