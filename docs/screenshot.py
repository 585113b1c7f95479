"""Remakes docs/images/page.jpg: `python docs/screenshot.py` (needs chromium). Run docs/pictures.py first."""

from __future__ import annotations

import io
import shutil
import sys
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"


def photo() -> bytes:
    """Eileen Collins (NASA, public domain), as scikit-image ships her."""
    from skimage import data

    file = io.BytesIO()
    Image.fromarray(data.astronaut()).save(file, "PNG")
    return file.getvalue()


def paint(page: Page) -> bytes:
    """What a visitor sees after having painted a photo."""
    page.set_input_files("#content", {"name": "photo.png", "mimeType": "image/png", "buffer": photo()})
    page.set_input_files("#style", IMAGES / "flow.jpg")
    page.get_by_role("button", name="Paint it").click()
    expect(page.get_by_role("status")).to_have_text("Painted.", timeout=120_000)
    page.wait_for_timeout(1000)  # pictures fade in
    return page.screenshot(full_page=True)


def main() -> None:
    sys.path.append(str(ROOT))
    from app import create_app

    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{server.port}")
        shot = Image.open(io.BytesIO(paint(page))).convert("RGB")
        browser.close()
    shot.save(IMAGES / "page.jpg", quality=85, optimize=True, progressive=True)
    server.shutdown()


if __name__ == "__main__":
    main()
