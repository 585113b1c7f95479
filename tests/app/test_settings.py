"""What can be set is documented, and a wrong value is refused at start."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import SETTINGS, Settings

README = Path(__file__).resolve().parents[2] / "README.md"


OTHERS = ["HOST", "PORT", "STYLE_MODEL_DIR", "STYLE_CACHE_DIR", "STYLE_DEVICE"]  # of gunicorn and of the library


@pytest.mark.parametrize("name", OTHERS + [name for name, _, _ in SETTINGS])
def test_readme_lists_it(name: str) -> None:
    section = README.read_text(encoding="utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    variables = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    assert any(f"`{name}`" in variable for variable in variables)


def test_each_has_its_help() -> None:
    assert all(text.endswith(".") for _, _, text in SETTINGS)


def test_values_are_taken_from_the_environment() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"STYLE_QUEUE": "9", "STYLE_WARM_UP": "no"}) == Settings(queue=9, warm_up=False)


@pytest.mark.parametrize(("name", "value"), [("STYLE_RENDERS", "0"), ("STYLE_PATIENCE", "soon"), ("STYLE_QUEUE", "-1")])
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name}='{value}'"):
        Settings.from_environment({name: value})
