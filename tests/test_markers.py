"""Tests have markers by the fixtures that they ask for and the place where they are."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT, SERVER_PLACES, SLOW_PLACES, markers_of


@pytest.mark.parametrize(
    ("place", "fixtures", "parameters", "markers"),
    [
        ("tests/app/http/test_cookies.py", {"client", "tmp_path"}, set(), set()),
        ("tests/browser/test_axe.py", {"browser", "page"}, set(), {"browser", "slow"}),
        ("tests/app/storage/test_library.py", {"library"}, {"sqlite"}, set()),
        ("tests/app/storage/test_library.py", {"library"}, {"postgres"}, {"database", "slow"}),
        ("tests/app/http/test_rate_limits.py", {"redis_url"}, set(), {"database", "slow"}),
        ("tests/app/jobs/test_crashes.py", {"crash"}, {"redis and postgres"}, {"database", "server", "slow"}),
        ("tests/app/test_live_corpus.py", set(), set(), {"server", "slow"}),
        ("tests/test_pixels.py", set(), set(), {"slow"}),
    ],
)
def test_markers_follow_from_fixtures_and_places(place, fixtures, parameters, markers) -> None:
    assert markers_of(place, fixtures, parameters) == markers


@pytest.mark.parametrize("place", [*SERVER_PLACES, *SLOW_PLACES])
def test_every_place_is_there(place: str) -> None:
    assert (ROOT / place).exists()
