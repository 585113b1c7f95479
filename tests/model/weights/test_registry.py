"""Weights on this machine: which are found, chosen, verified, imported and refused."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from model.errors import WeightsBroken, WeightsMissing
from model.weights import registry
from tests.support.weights_files import NAME, PARTS, Server, archive, change, npz, saved_model, sha256

pytestmark = pytest.mark.usefixtures("cache")

HUB_FOLDER = "f843094219bf78a99e8ea6c8d71f1bc74f07101a"  # tensorflow_hub 0.16.1's own, for the official handle


def test_table():
    small, official = registry.ENTRIES["magenta-small"], registry.ENTRIES["v1-256"]
    assert (small.filename, small.sources) == ("magenta-small.npz", ())
    assert official.filename == NAME
    assert [url.split("/")[2] for url in official.sources] == ["tfhub.dev", "storage.googleapis.com", "www.kaggle.com"]


def test_a_file_put_into_the_cache_by_hand(cache: Path):
    cache.mkdir()
    (cache / NAME).write_bytes(archive())
    status = registry.verify("v1-256")
    assert status == registry.WeightsStatus("v1-256", cache / NAME, sha256(archive()), True, None, "cache")
    (cache / NAME).write_bytes(archive()[:-1])
    assert registry.find("v1-256") is None


def test_missing_weights():
    status = registry.verify("v1-256")
    assert status == registry.WeightsStatus("v1-256", None, None, False, "it is not on this machine", None)
    assert registry.remedy(status) == "run: python -m model weights fetch v1-256"


def test_the_local_folder_comes_first(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    registry.import_file(saved_model(tmp_path / "download"), "v1-256")
    local = tmp_path / "local"
    local.mkdir()
    monkeypatch.setenv("STYLE_MODEL_DIR", str(local))
    assert registry.find("v1-256") == cache / NAME
    (local / NAME).write_bytes(archive())
    assert registry.find("v1-256") == local / NAME
    assert registry.verify("v1-256").where == "local folder"
    assert registry.find("magenta-small") == registry.SHIPPED_MAGENTA
    assert registry.find("magenta-small") != npz(local / "magenta-small.npz") == registry.find("magenta-small")


def test_a_broken_file_in_the_local_folder_is_passed_over(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    registry.import_file(saved_model(tmp_path / "download"), "v1-256")
    (tmp_path / NAME).write_bytes(archive()[:-1])
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert registry.find("v1-256") == cache / NAME
    status = registry.verify("v1-256")
    assert (status.ok, status.path) == (False, tmp_path / NAME)
    assert registry.remedy(status) == f"replace or delete {tmp_path / NAME}"


@pytest.mark.parametrize("below", ["", "magenta-v1-256", "magenta_arbitrary-image-stylization-v1-256_2"])
def test_an_unpacked_model_in_the_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str):
    folder = saved_model(tmp_path / "local" / below)
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path / "local"))
    assert registry.find("v1-256") == registry.choose(None) == folder
    (folder / "variables" / "variables.index").unlink()
    assert registry.find("v1-256") is None


def test_the_cache_of_tensorflow_hub(tmp_path: Path):
    folder = saved_model(tmp_path / "hub" / HUB_FOLDER)
    assert registry.choose(None) == registry.find("v1-256") == folder
    assert registry.verify("v1-256") == registry.WeightsStatus("v1-256", folder, None, True, None, "hub cache")


@pytest.mark.parametrize("top", ["./", "", "a-folder/"])
def test_import_of_an_archive(tmp_path: Path, cache: Path, top: str):
    (tmp_path / "archive.tgz").write_bytes(archive(top=top))
    assert registry.import_file(tmp_path / "archive.tgz", "v1-256") == cache / NAME
    assert registry.verify("v1-256").sha256 == sha256(archive(top=top))


def test_import_of_a_folder_packs_it(tmp_path: Path):
    with tarfile.open(registry.import_file(saved_model(tmp_path / "folder"), "v1-256")) as packed:
        assert set(PARTS) <= set(packed.getnames())


def test_import_of_other_weights(tmp_path: Path, cache: Path):
    assert registry.import_file(npz(tmp_path / "mine.npz"), "magenta-small") == cache / "magenta-small.npz"
    assert registry.choose(None) == cache / "magenta-small.npz"


def test_import_refuses_what_is_broken_and_keeps_what_is_good(tmp_path: Path, cache: Path):
    (tmp_path / "good.tar.gz").write_bytes(archive())
    registry.import_file(tmp_path / "good.tar.gz", "v1-256")
    (tmp_path / "bad.tar.gz").write_bytes(archive()[:-1])
    (tmp_path / "empty").mkdir()
    for bad in ("bad.tar.gz", "empty"):
        with pytest.raises(WeightsBroken, match="was not imported as 'v1-256'"):
            registry.import_file(tmp_path / bad, "v1-256")
    assert (cache / NAME).read_bytes() == archive()
    assert registry.verify("v1-256").ok


def test_import_refuses_the_wrong_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(WeightsBroken, match="folder"):
        registry.import_file(saved_model(tmp_path / "folder"), "magenta-small")
    with pytest.raises(WeightsBroken, match="damaged"):
        registry.import_file(npz(tmp_path / "small.npz"), "v1-256")
    with pytest.raises(WeightsMissing, match="no file or folder"):
        registry.import_file(tmp_path / "nothing", "v1-256")
    change(monkeypatch, sha256=sha256(b"another"))
    with pytest.raises(WeightsBroken, match="sha256"):
        registry.import_file(tmp_path / "folder", "v1-256")


def test_import_of_the_cached_file_itself_accepts_it_anew(sources: Server):
    sources.files["/first"] = archive()
    file = registry.fetch("v1-256")
    file.write_bytes(archive(b"put here by hand"))
    assert registry.find("v1-256") is None
    registry.import_file(file, "v1-256")
    assert registry.find("v1-256") == file


def test_choose_prefers_the_official_model_to_what_ships(sources: Server, cache: Path):
    assert registry.choose(None) == registry.SHIPPED_MAGENTA
    sources.files["/first"] = archive()
    registry.fetch("v1-256")
    assert registry.choose(None) == registry.choose("v1-256") == cache / NAME
    assert registry.choose("magenta-small") == registry.SHIPPED_MAGENTA


def test_choose_takes_what_is_given(tmp_path: Path):
    folder = saved_model(tmp_path / "folder")
    assert registry.choose(folder) == registry.choose(str(folder)) == registry.choose(f"{folder}/") == folder
    assert registry.choose(npz(tmp_path / "mine.npz")) == tmp_path / "mine.npz"
    (tmp_path / "mine.tar.gz").write_bytes(archive())
    assert registry.choose(tmp_path / "mine.tar.gz") == tmp_path / "mine.tar.gz"
    assert registry.choose(registry.HUB_HANDLE) == registry.HUB_HANDLE


@pytest.mark.parametrize("given", ["", "nothing.npz", "http://example.org/model"])
def test_choose_refuses_what_is_not_there(given: str):
    with pytest.raises(WeightsMissing, match="no file or folder") as caught:
        registry.choose(given)
    assert caught.value.field == "model_path"
