"""What every test may ask for: small pictures, the shared folder, and an environment that is nobody's own."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # TensorFlow reads it once, when it loads
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: more threads would only wait for each other
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
pytest_plugins = ["tests.support.services"]

# What gives a test its marker: the fixtures that it asks for, the folder that it lies in, or its file.
DATABASE_FIXTURES = {"redis_url", "postgres_url", "redis_queue", "postgres_database", "bucket"}
DATABASE_PARAMETERS = {"redis and postgres", "postgres", "s3"}
BROWSER_FIXTURES = {"browser"}
SERVER_FIXTURES = {"crash", "environment", "start", "probe"}
SERVER_PLACES = (
    "tests/test_gunicorn.py",
    "tests/app/test_faults.py",
    "tests/app/test_live_corpus.py",
    "tests/app/api/test_schemathesis.py",
    "tests/app/jobs/test_crashes.py",
)
SLOW_PLACES = (  # which load whole networks, paint large pictures or start Python anew
    "tests/bench",
    "tests/training",
    "tests/test_paintings.py",
    "tests/test_pixels.py",
    "tests/test_seed_failures.py",
    "tests/model/test_main.py",
    "tests/model/cli",
    "tests/model/hardware/test_device.py",
    "tests/model/imaging/test_corpus.py",
    "tests/model/imaging/test_vips_writer.py",
    "tests/model/inference",
    "tests/model/networks",
    "tests/model/pipelines/test_clips.py",
    "tests/model/pipelines/test_compositing.py",
    "tests/model/pipelines/test_contact_sheets.py",
    "tests/model/pipelines/test_refine.py",
    "tests/model/pipelines/test_rerun.py",
    "tests/model/pipelines/test_style_import.py",
    "tests/model/pipelines/test_stylization.py",
    "tests/model/pipelines/test_style_training.py",
    "tests/model/finetuning",
    "tests/model/refinement",
    "tests/model/weights/test_saved_model.py",
)

CI = os.environ.get("CI") == "true"
ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("STYLE_SHARED") or ROOT.parent / "shared")
HEIGHT, WIDTH = 96, 128  # of both pictures


def skip_or_fail(reason: str) -> NoReturn:
    """For what a developer's machine may lack and CI must have."""
    if CI:
        pytest.fail(f"{reason} CI must have it.")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference weights, pictures and broken files that are too large for the repository."""
    if not SHARED.is_dir():
        skip_or_fail(f"There is no folder {SHARED}; STYLE_SHARED may name another.")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A developer's own STYLE_* variables and caches change no test, nor a server that lives for several."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("STYLE_") and name != "STYLE_SHARED"]:
            patch.delenv(name)
        patch.setenv("STYLE_PRECISION", "float32")  # which way is the fastest here may change from run to run
        _empty_caches(patch, tmp_path_factory.mktemp("session"))
        yield


@pytest.fixture(autouse=True)
def _own_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What one test downloads or imports, the next does not find."""
    _empty_caches(monkeypatch, tmp_path)


def _empty_caches(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("STYLE_CACHE_DIR", str(folder / "style-cache"))
    patch.setenv("TFHUB_CACHE_DIR", str(folder / "tfhub-cache"))
    patch.setenv("STYLE_DATA_DIR", str(folder / "style-data"))
    patch.setenv("XDG_DATA_HOME", str(folder / "data-home"))


@pytest.fixture
def photo() -> np.ndarray:
    """(96, 128, 3) float32 in 0..1: a smooth sky over a field, with a sun and a house, as flat as photos get."""
    y, x = _grid()
    sky = np.stack([0.45 + 0.3 * y, 0.6 + 0.2 * y, 0.95 - 0.2 * y], axis=-1)
    field = np.stack([0.2 + 0.3 * x, 0.5 - 0.2 * y + 0.1 * x, 0.15 + 0 * x], axis=-1)
    picture = np.where((y > 0.6)[..., None], field, sky)
    picture[(x - 0.75) ** 2 + (0.75 * (y - 0.25)) ** 2 < 0.01] = (1.0, 0.9, 0.5)
    picture[(abs(x - 0.3) < 0.12) & (abs(y - 0.6) < 0.15)] = (0.55, 0.25, 0.2)
    return picture.astype("float32")


@pytest.fixture
def painting() -> np.ndarray:
    """(96, 128, 3) float32 in 0..1: strokes that swirl in strong colours, with grain, unlike any photo."""
    y, x = _grid()
    swirl = np.sin(40 * (x + 0.15 * np.sin(9 * y))) + np.sin(33 * (y + 0.2 * np.sin(7 * x)))
    waves = [np.sin(2.2 * swirl + phase) for phase in (0.0, 2.1, 4.2)]
    grain = np.random.default_rng(0).normal(0.0, 0.08, (HEIGHT, WIDTH, 3))
    return np.clip(0.5 + 0.45 * np.stack(waves, axis=-1) + grain, 0.0, 1.0).astype("float32")


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's y and x, 0 to 1."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return y / (HEIGHT - 1), x / (WIDTH - 1)


@pytest.fixture
def photo_png(photo: np.ndarray) -> bytes:
    return _png(photo)


@pytest.fixture
def painting_png(painting: np.ndarray) -> bytes:
    return _png(painting)


def _png(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.round(rgb * 255).astype("uint8")).save(file, "PNG")
    return file.getvalue()


def markers_of(place: str, fixtures: set[str], parameters: set[str]) -> set[str]:
    """Return the markers of a test in the file `place`, below the repository."""
    markers = set()
    if fixtures & BROWSER_FIXTURES:
        markers.add("browser")
    if fixtures & DATABASE_FIXTURES or parameters & DATABASE_PARAMETERS:
        markers.add("database")
    if fixtures & SERVER_FIXTURES or place.startswith(SERVER_PLACES):
        markers.add("server")
    if markers or place.startswith(SLOW_PLACES):
        markers.add("slow")
    return markers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = getattr(item, "callspec", None)
        named = {value for value in parameters.params.values() if isinstance(value, str)} if parameters else set()
        place = item.path.relative_to(ROOT).as_posix()
        for name in sorted(markers_of(place, set(getattr(item, "fixturenames", ())), named)):
            item.add_marker(name)


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")  # a worker of pytest-xdist has none
    return len(reporter.stats.get("skipped", [])) if reporter else 0


def pytest_sessionfinish(session: pytest.Session) -> None:
    if CI and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if CI and (count := _skipped(config)):
        terminalreporter.section("skipped in CI", red=True)
        terminalreporter.line(f"{count} skipped: CI has all that the tests need, so this run has failed.")
