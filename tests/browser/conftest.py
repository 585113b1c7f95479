"""A live server and Debian's chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app import create_app
from app.settings import Settings
from tests.conftest import skip_or_fail
from tests.support.browsers import Stand, standing, visiting
from tests.support.fake_painter import FakePainter, fade
from tests.support.live_app import serving


@pytest.fixture(scope="module")
def module_painter() -> FakePainter:
    """The painter of every server of a module, whose paint tells styles and options apart."""
    return FakePainter(tinted=True, steps=3, stroke=fade, seconds_per_megapixel=10)


@pytest.fixture
def painter(module_painter) -> Iterator[FakePainter]:
    """The painter of every server of the test; the next test finds it as it was."""
    yield module_painter
    module_painter.reset()


@contextmanager
def _live(data_dir: Path, painter: FakePainter, **settings) -> Iterator[str]:
    app = create_app(Settings(**({"data_dir": data_dir, "warm_up": False, "rate_limit": ""} | settings)), painter)
    with serving(app) as url:
        yield url
    app.extensions["worker"].stop()


@pytest.fixture(scope="module")
def site(module_painter, tmp_path_factory) -> Iterator[str]:
    """The address of a server with the fake painter."""
    with _live(tmp_path_factory.mktemp("site"), module_painter) as url:
        yield url


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """Where `new_site` keeps its things."""
    return tmp_path / "data"


@pytest.fixture
def new_site(painter, data_dir) -> Iterator[Callable[..., str]]:
    """Starts a server of one's own, with other settings."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(_live(data_dir, painter, **settings))


@pytest.fixture
def real_site(painter, new_site) -> str:
    """The address of a server with the model that ships."""
    painter.use_library()
    return new_site(warm_up=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        skip_or_fail("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser, site, painter):
    """Opens a page in a context, and so with a cookie, of its own; what goes wrong in its console fails the test."""
    contexts, faults = [], []

    def opened(url="/", **settings):
        contexts.append(browser.new_context(base_url=site, **settings))
        contexts[-1].set_default_timeout(20_000)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def files(photo_png, painting_png, tmp_path):
    """Paths of the photo and the painting."""
    paths = tmp_path / "photo.png", tmp_path / "painting.png"
    for path, data in zip(paths, (photo_png, painting_png), strict=True):
        path.write_bytes(data)
    return paths


@pytest.fixture
def stand(painter, tmp_path) -> Iterator[Stand]:
    """A server to look into, that paints nothing."""
    with standing(tmp_path / "data", painter) as stand:
        yield stand


@pytest.fixture
def visit(browser, stand) -> Iterator[Callable[..., Page]]:
    """Opens a page of the stand as somebody."""
    with visiting(browser, stand) as visit:
        yield visit
