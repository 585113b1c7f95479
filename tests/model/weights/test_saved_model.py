"""Official weights out of a SavedModel: a folder, an archive or a hub handle, good and damaged."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from model.errors import WeightsBroken, WeightsMissing
from model.networks.architecture import V1_256
from model.networks.layers import assign_arrays, variable_name
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.weights import saved_model
from model.weights.saved_model import read_saved_model
from tests.support.saved_model import build

HANDLE = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(shared / "weights" / "magenta_graph", tmp_path_factory.mktemp("official") / "saved_model")


@pytest.fixture(scope="module")
def arrays(folder: Path) -> dict[str, np.ndarray]:
    return read_saved_model(folder)


@pytest.fixture(scope="module")
def networks(arrays: dict[str, np.ndarray]) -> tuple[keras.Model, keras.Model]:
    predictor, transformer = build_predictor(V1_256), build_transformer(V1_256)
    assign_arrays(predictor, arrays)
    assign_arrays(transformer, arrays)
    return predictor, transformer


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    import tensorflow_hub as hub

    return hub.load(str(folder))


@pytest.fixture(scope="module")
def archive(folder: Path) -> Path:
    path = folder.with_name("official.tar.gz")
    with tarfile.open(path, "w:gz", compresslevel=1) as file:
        file.add(folder, ".")
    return path


@pytest.fixture
def damaged(folder: Path, tmp_path: Path) -> Path:
    """A copy of the SavedModel for a test to damage."""
    return Path(shutil.copytree(folder, tmp_path / "damaged"))


def test_our_networks_have_exactly_the_official_variables(
    arrays: dict[str, np.ndarray], networks: tuple[keras.Model, keras.Model]
) -> None:
    assert set(arrays) == {variable_name(variable) for model in networks for variable in model.variables}
    assert {array.dtype for array in arrays.values()} == {np.dtype("float32")}


@pytest.mark.parametrize(("height", "width"), [(250, 333), (256, 256), (181, 127)])
def test_our_pastiche_is_the_reference_pastiche(
    networks: tuple[keras.Model, keras.Model], reference: Any, height: int, width: int
) -> None:
    import tensorflow as tf

    predictor, transformer = networks
    rng = np.random.default_rng(height)
    content = rng.random((1, height, width, 3), dtype="float32")
    style = rng.random((1, 256, 301, 3), dtype="float32")
    theirs = reference(tf.constant(content), tf.constant(style))[0].numpy()[:, :height, :width]
    ours = transformer.predict([content, predictor.predict(style, verbose=0)], verbose=0)[:, :height, :width]
    assert 0.05 < theirs.std() < 0.35  # neither flat nor black and white: the comparison means something
    assert np.abs(ours - theirs).max() < 1e-4


def test_an_archive_holds_the_same(archive: Path, arrays: dict[str, np.ndarray]) -> None:
    unpacked = read_saved_model(archive)
    assert unpacked.keys() == arrays.keys()
    assert all(np.array_equal(unpacked[name], arrays[name]) for name in arrays)


def test_a_hub_handle_is_read_from_the_hub_s_cache(
    folder: Path, arrays: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / hashlib.sha1(HANDLE.encode()).hexdigest()).symlink_to(folder)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    assert read_saved_model(HANDLE).keys() == arrays.keys()


def test_a_handle_that_cannot_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match=r"could not be fetched from https://127\.0\.0\.1:9/magenta"):
        read_saved_model("https://127.0.0.1:9/magenta")


def test_a_path_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="no weights at"):
        read_saved_model(tmp_path / "nowhere")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsBroken, match="not a SavedModel"):
        read_saved_model(tmp_path)


def test_a_folder_without_variables(damaged: Path) -> None:
    shutil.rmtree(damaged / "variables")
    with pytest.raises(WeightsBroken, match="without its weights"):
        read_saved_model(damaged)


def test_variables_cut_short(damaged: Path) -> None:
    data = damaged / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1_000_000])
    with pytest.raises(WeightsBroken, match="damaged or incomplete"):
        read_saved_model(damaged)


def test_variables_without_their_index(damaged: Path) -> None:
    (damaged / "variables" / "variables.index").write_bytes(b"not an index")
    with pytest.raises(WeightsBroken, match="damaged or incomplete"):
        read_saved_model(damaged)


def test_variables_of_something_else(damaged: Path) -> None:
    import tensorflow as tf

    prefix = str(damaged / "variables" / "variables")
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=["x"], shape_and_slices=[""], tensors=[tf.zeros(3)])
    with pytest.raises(WeightsBroken, match="damaged or incomplete"):
        read_saved_model(damaged)


def test_an_archive_cut_short(archive: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.tar.gz"
    short.write_bytes(archive.read_bytes()[:1_000_000])
    with pytest.raises(WeightsBroken, match=r"'short\.tar\.gz' could not be unpacked: it is damaged"):
        read_saved_model(short)


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    file.write_bytes(b"\x89HDF" * 1000)
    with pytest.raises(WeightsBroken, match=r"'weights\.h5' could not be unpacked"):
        read_saved_model(file)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(WeightsBroken, match="not a SavedModel"):
        read_saved_model(tar(tmp_path, "readme.txt"))


def test_an_archive_that_reaches_outside_its_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsBroken, match="could not be unpacked"):
        read_saved_model(tar(tmp_path, "../escaped"))


def test_an_archive_that_unpacks_to_too_much(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_model, "MAX_UNPACKED_BYTES", 50_000_000)
    with pytest.raises(WeightsBroken, match="more than 50,000,000 bytes"):
        read_saved_model(archive)


def tar(folder: Path, member: str) -> Path:
    path = folder / "small.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.addfile(tarfile.TarInfo(member), io.BytesIO())
    return path
