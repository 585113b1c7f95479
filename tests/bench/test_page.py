"""`python -m bench`: what it measures, prints, keeps and writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import __main__ as bench

PAGE = Path("docs") / "benchmarks.md"


def network() -> str:
    return f"## The network\n\n{os.getpid()}"


def load() -> str:
    return f"## Under load\n\n{os.getpid()}"


def failing() -> str:
    raise SystemExit("no answer")


def killed() -> str:
    os._exit(9)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the two sections `network` and `load`, and a page of an earlier day."""
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    use(monkeypatch, network, load)
    (tmp_path / "docs").mkdir()
    (tmp_path / PAGE).write_text("of yesterday")
    return tmp_path


def use(monkeypatch: pytest.MonkeyPatch, *sections: Callable[[], str]) -> None:
    """Fewer than two: the other cannot be imported."""
    names = "network", "load"
    modules = {f"bench.{name}": SimpleNamespace(section=one) for name, one in zip(names, sections, strict=False)}
    monkeypatch.setattr(bench, "SECTIONS", names)
    monkeypatch.setattr(bench, "import_module", modules.__getitem__)


def test_a_whole_run_writes_the_page(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bench.main([])
    page = (root / PAGE).read_text("utf-8")
    assert "on the processor, " in page
    assert page.index("## The network") < page.index("## Under load")
    assert "## Under load" in capfd.readouterr().out


def test_each_section_has_a_process_of_its_own(root: Path) -> None:
    bench.main([])
    pids = {line for line in (root / PAGE).read_text("utf-8").splitlines() if line.isdecimal()}
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


def test_some_sections_leave_the_page(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bench.main(["load"])
    assert capfd.readouterr().out.startswith("## Under load")
    assert (root / PAGE).read_text() == "of yesterday"


@pytest.mark.parametrize(("section", "told"), [(failing, "SystemExit: no answer"), (killed, "BrokenProcessPool")])
def test_others_go_on_where_one_fails(root: Path, monkeypatch, capfd, section: Callable[[], str], told: str) -> None:
    use(monkeypatch, section, load)
    with pytest.raises(SystemExit) as end:
        bench.main([])
    printed = capfd.readouterr()
    assert end.value.code == 1
    assert printed.out.startswith("The section network failed: see above.\n## Under load")
    assert told in printed.err
    assert (root / PAGE).read_text() == "of yesterday"


def test_an_interrupted_run_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "kept" / "here"
    use(monkeypatch, network, failing)
    with pytest.raises(SystemExit):
        bench.main(["--keep", str(folder)])
    assert [file.name for file in folder.iterdir()] == ["network.md"]
    use(monkeypatch, failing, load)
    bench.main(["--keep", str(folder)])
    assert (folder / "network.md").read_text("utf-8") in (root / PAGE).read_text("utf-8")
    assert (folder / "load.md").read_text("utf-8") in (root / PAGE).read_text("utf-8")


def test_a_missing_package_shows_before_anything_is_measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, network)
    with pytest.raises(KeyError, match=r"bench\.load"):
        bench.main(["--keep", str(root / "kept")])
    assert not list((root / "kept").iterdir())


def test_a_section_that_is_none(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["memory"])
    assert "there is no section memory: choose among network, load" in capfd.readouterr().err
