"""What is written: of which kind, over nothing that was read, and whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from model import regions
from model.errors import InvalidOption
from model.options import Format

FORMATS: dict[str, Format] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
}
SUFFIXES: dict[Format, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif"}
BY_NAME = "Left out: as the output's name ends."

Kind = TypeVar("Kind")


def picture_kind(output: Path) -> Format:
    return kind(output, FORMATS, "--output")


def kind(output: Path, kinds: Mapping[str, Kind], flag: str) -> Kind:
    """What the file's ending asks for; InvalidOption where that is none of `kinds`."""
    try:
        return kinds[output.suffix.lower()]
    except KeyError:
        sentence = f"{flag} must end in {', '.join(kinds)}, not '{output.name}'."
        raise InvalidOption(sentence, flag.removeprefix("--")) from None


def check_overwrites(output: Path, inputs: Iterable[Path | str], flag: str = "--output") -> None:
    """Raises InvalidOption for an output that is an input too; the words for masks are no files."""
    if output.resolve() in {Path(path).resolve() for path in inputs if path not in regions.WORDS}:
        raise InvalidOption(f"{flag} would overwrite '{output}': name another.", flag.removeprefix("--"))


def write(path: Path, data: bytes) -> None:
    """The whole file or nothing: a full disk must not leave half a picture under a good name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
