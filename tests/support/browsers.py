"""A live server that a test can look into, and browsers of several people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page

from app import create_app
from app.settings import Settings
from tests.support.fake_painter import FakePainter
from tests.support.live_app import serving
from tests.support.stored_results import sign_in

PHONE = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
# Werkzeug's server leaves a static file open when a browser goes on before it has all of it.
LEFT_OPEN = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <_io.FileIO name=.*static:pytest.PytestUnraisableExceptionWarning"
)


@dataclass(frozen=True)
class Stand:
    app: Flask
    url: str

    def cookie(self, owner: str) -> dict[str, str]:
        client = self.app.test_client()
        sign_in(client, owner)
        return {"name": "owner", "value": client.get_cookie("owner").value, "url": self.url}


@contextmanager
def standing(folder: Path, painter: FakePainter, **settings) -> Iterator[Stand]:
    quiet = {"data_dir": folder, "warm_up": False, "worker": False, "rate_limit": ""}
    app = create_app(Settings(**(quiet | settings)), painter)
    with serving(app) as url:
        yield Stand(app, url)
    app.extensions["worker"].stop()


@contextmanager
def visiting(browser: Browser, stand: Stand) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody, in a context of its own; a fault in its console fails the test."""
    contexts, faults = [], []

    def opened(path: str, owner: str | None = "ann", **settings) -> Page:
        contexts.append(browser.new_context(base_url=stand.url, **settings))
        if owner:
            contexts[-1].add_cookies([stand.cookie(owner)])
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
        page.goto(path)
        return page

    try:
        yield opened
    finally:
        for context in contexts:
            context.close()
    assert faults == []


def is_seen(part: Locator) -> bool:
    """All of it is in the window, and nothing lies over it."""
    return part.evaluate(
        """part => {
            const { left, right, top, bottom } = part.getBoundingClientRect();
            const at = (y) => document.elementFromPoint((left + right) / 2, y);
            return [top + 1, (top + bottom) / 2, bottom - 1].every((y) => part.contains(at(y)));
        }"""
    )


def expect_loaded(picture: Locator, seconds: float = 20) -> None:
    """Wait for the file of an <img>. Page.wait_for_function would use eval, which the security policy forbids."""
    deadline = time.monotonic() + seconds
    while picture.evaluate("picture => picture.naturalWidth") == 0:
        assert time.monotonic() < deadline, "The picture was not loaded."
        picture.page.wait_for_timeout(50)


def assert_fits(page: Page) -> None:
    """Nothing is wider than the window, and what is to be touched is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.locator("button:visible, select:visible, a.button:visible, summary:visible").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().height < 43.9).map(one => one.outerHTML)"
    )
    assert small == []
