"""axe-core, as it comes with axe-playwright-python."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()
_IS_STILL = """() => document.getAnimations().every(
    ({ effect, playState }) => playState === "finished" || effect.getComputedTiming().iterations === Infinity
)"""


def violations(page: Page) -> str:
    """What axe finds, or nothing. A text that is still fading in has too little contrast, so that is waited for."""
    page.wait_for_function(_IS_STILL)
    found = _AXE.run(page, options={"resultTypes": ["violations"]})
    return found.generate_report() if found.violations_count else ""
