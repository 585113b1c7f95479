"""What can be set is documented, and a wrong value is refused at start."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import SETTINGS, Settings

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize("name", [name for name, _, _ in SETTINGS])
def test_readme_lists_it(name: str) -> None:
    assert f"| `{name}` |" in README.read_text(encoding="utf-8")


def test_a_value_is_taken_from_the_environment() -> None:
    assert Settings.from_environment({"STYLE_QUEUE": "9"}).queue == 9


@pytest.mark.parametrize(("name", "value"), [("STYLE_RENDERS", "0"), ("STYLE_PATIENCE", "soon"), ("STYLE_QUEUE", "-1")])
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name}='{value}'"):
        Settings.from_environment({name: value})
