"""Arrays and folders on disk."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from model.imaging import scratch
from model.imaging.scratch import DiskArray

ROOT = Path(__file__).resolve().parents[3]


def test_rows_come_back_as_they_were_written(tmp_path: Path):
    rows = np.random.default_rng(0).random((50, 7, 3), dtype="float32")
    with DiskArray(tmp_path, rows.shape, "float32") as plane:
        plane[20:50] = rows[20:]
        plane[0:20] = rows[:20]
        assert np.array_equal(plane[0:50], rows)
        assert np.array_equal(plane[13:37], rows[13:37])
        assert np.array_equal(plane[45:99], rows[45:])
        assert plane[50:60].shape == (0, 7, 3)


def test_what_was_never_written_is_nought(tmp_path: Path):
    with DiskArray(tmp_path, (4, 5, 3), "uint8") as plane:
        assert not plane[0:4].any()


def test_rows_that_do_not_fit_are_refused(tmp_path: Path):
    with DiskArray(tmp_path, (4, 5, 3), "uint8") as plane:
        with pytest.raises(ValueError, match="do not fit"):
            plane[0:2] = np.zeros((3, 5, 3), "uint8")
        with pytest.raises(ValueError, match="row by row"):
            plane[0:4:2]


def test_a_plane_s_file_goes_with_it(tmp_path: Path):
    with DiskArray(tmp_path, (4, 5, 3), "uint8") as plane:
        assert plane.path.stat().st_size == 60
    assert not list(tmp_path.iterdir())


def test_a_scratch_folder_goes_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ZeroDivisionError), scratch.temporary_folder() as folder, DiskArray(folder, (4, 5, 3), "uint8"):
        1 / len(list(tmp_path.glob("nothing")))
    assert not list(tmp_path.iterdir())


def test_scratch_is_on_a_disk_where_tmp_may_be_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    with scratch.temporary_folder() as folder:
        assert folder.parent == Path("/var/tmp")


def test_what_a_killed_process_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And not what a living one is at work with."""
    monkeypatch.setattr(scratch, "_base_folder", lambda: tmp_path)
    code = "from model.imaging import scratch; from pathlib import Path\n"
    code += f"scratch._base_folder = lambda: Path({str(tmp_path)!r})\n"
    code += "with scratch.temporary_folder() as folder: (folder / 'plane').touch(); print(folder, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    scratch.remove_stale_folders()
    assert (folder / "plane").exists()
    process.kill()
    process.communicate()
    assert (folder / "plane").exists()
    scratch.remove_stale_folders()
    assert list(tmp_path.iterdir()) == []
