"""Checksums written down beside files, and files that are not as they say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model.errors import WeightsBroken
from model.weights import registry
from tests.support.weights_files import Server, archive, sha256

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize("keep_times", [True, False])
def test_a_tampered_file_is_not_found(sources: Server, cache: Path, keep_times: bool):
    sources.files["/first"] = archive()
    file = registry.fetch("v1-256")
    assert registry.find("v1-256") == file
    before = file.stat()
    file.write_bytes(archive(b"evil"))
    if keep_times:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert registry.find("v1-256") is None
    assert registry.choose(None) == registry.SHIPPED_MAGENTA
    for given in ("v1-256", file):
        with pytest.raises(WeightsBroken, match="sha256"):
            registry.choose(given)
    status = registry.verify("v1-256")
    assert (status.ok, status.path, status.where, status.sha256) == (False, file, "cache", sha256(file.read_bytes()))
    assert "sha256" in str(status.problem)
    assert str(file) in str(registry.remedy(status))


def test_the_sha256_of_what_ships():
    sums = registry.SHIPPED_MAGENTA.with_name("SHA256SUMS")
    sums.write_text(f"{'0' * 64}  other.npz\n{sha256(registry.SHIPPED_MAGENTA.read_bytes())} *magenta-small.npz\n")
    assert registry.verify("magenta-small").ok
    registry.SHIPPED_MAGENTA.write_bytes(registry.SHIPPED_MAGENTA.read_bytes() + b"more")
    assert not registry.verify("magenta-small").ok
    with pytest.raises(WeightsBroken, match="git checkout") as caught:
        registry.choose(None)
    assert caught.value.field == "model_path"
