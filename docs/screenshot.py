"""Remakes the README's pictures of the pages: `python docs/screenshot.py` (needs chromium and scikit-image)."""

from __future__ import annotations

import io
import logging
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PATIENCE = 120_000  # ms, for the first picture, which loads the model


def photo() -> bytes:
    """Eileen Collins (NASA, public domain), as scikit-image ships her."""
    from skimage import data

    file = io.BytesIO()
    Image.fromarray(data.astronaut()).save(file, "PNG")
    return file.getvalue()


@contextmanager
def site() -> Iterator[str]:
    """The address of a server with nothing in its library."""
    sys.path.append(str(ROOT))
    logging.getLogger("werkzeug").setLevel("ERROR")
    from app import create_app
    from app.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder)))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()
        app.extensions["worker"].stop()


def save(page: Page, name: str) -> None:
    page.wait_for_timeout(1000)  # pictures fade in
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.save(IMAGES / f"{name}.jpg", quality=85, optimize=True, progressive=True)


def choose(page: Page, *styles: str) -> None:
    page.set_input_files("#content", {"name": "collins.png", "mimeType": "image/png", "buffer": photo()})
    for style in styles:
        page.get_by_role("checkbox", name=style, exact=True).check()


def paint(page: Page, address: str, size: str, *styles: str) -> None:
    page.goto(address)
    choose(page, *styles)
    page.get_by_label("Long side").select_option(size)
    page.get_by_role("button", name="Paint it").click()


def main() -> None:
    with site() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(**DESKTOP)
        for style in ("Flow", "Aurora", "Papercut"):
            paint(page, address, "1024", style)
            page.wait_for_url("**/results/*", timeout=PATIENCE)
        save(page, "result")
        paint(page, address, "512", "Flow")
        page.wait_for_url("**/results/*", timeout=PATIENCE)
        page.get_by_role("radio", name="Fast").check()
        page.get_by_role("button", name="Refine").click()
        expect(page.get_by_text(re.compile(r"Step 3\d"))).to_be_visible(timeout=PATIENCE)
        save(page, "refine")
        page.wait_for_url("**/results/*", timeout=PATIENCE)
        paint(page, address, "3072", "Waves")
        expect(page.locator("img[src*=preview]")).to_be_visible(timeout=PATIENCE)
        save(page, "job")
        page.goto(f"{address}/explore")
        choose(page, "Waves")
        page.get_by_role("heading", name="Layers").scroll_into_view_if_needed()
        save(page, "explore")
        page.goto(f"{address}/history")
        save(page, "history")
        page.goto(f"{address}/styles")
        save(page, "styles")
        page.goto(address)
        choose(page, "Flow", "Azulejo")
        expect(page.locator("#preview")).to_be_visible(timeout=PATIENCE)
        save(page, "create")
        browser.close()


if __name__ == "__main__":
    main()
