"""A live server and Debian's chromium."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from app import create_app
from app.settings import Settings
from tests.conftest import skip_or_fail


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of a server with the real model."""
    server = make_server("127.0.0.1", 0, create_app(Settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


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
def new_page(browser, site):
    """Opens the main page in a context of its own; what goes wrong in its console fails the test."""
    contexts, faults = [], []

    def opened(**settings):
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
        page.goto(site)
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
