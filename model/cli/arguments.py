"""Command-line arguments: a flag for every option of the library, and checks of paths."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from model.errors import InvalidOption
from model.imaging import masking
from model.imaging.formats import OUTPUT_FORMATS
from model.options import Format, join_words
from model.pipelines import gallery

FORMAT_BY_SUFFIX: dict[str, Format] = {
    suffix: format for format, about in OUTPUT_FORMATS.items() for suffix in about.suffixes
}
OUTPUT_HELP = f"a {join_words([about.suffixes[0] for about in OUTPUT_FORMATS.values()], 'or')}"
FORMAT_DEFAULT_HELP = "Left out: as the output's name ends."

FormatT = TypeVar("FormatT")


def style_path(text: str) -> Path:
    """Return the file of a style, or the painting of the gallery's style of that name."""
    return gallery.find(text) or Path(text)


def picture_format(output: Path) -> Format:
    return output_format(output, FORMAT_BY_SUFFIX, "--output")


def output_format(output: Path, formats: Mapping[str, FormatT], flag: str) -> FormatT:
    """Return the format that the file's suffix stands for; raise InvalidOption where that is none of `formats`."""
    try:
        return formats[output.suffix.lower()]
    except KeyError:
        sentence = f"{flag} must end in {', '.join(formats)}, not '{output.name}'."
        raise InvalidOption(sentence, flag.removeprefix("--")) from None


def check_overwrites(output: Path, inputs: Iterable[Path | str], flag: str = "--output") -> None:
    """Raise InvalidOption for an output that is an input too; words for masks are no files."""
    if output.resolve() in {Path(path).resolve() for path in inputs if path not in masking.MASK_WORDS}:
        raise InvalidOption(f"{flag} would overwrite '{output}': name another.", flag.removeprefix("--"))


def add_options(parser: argparse.ArgumentParser, options: type[BaseModel], **defaults: str) -> None:
    """Add a flag for each option. `defaults`: sentences on defaults that differ on the command line."""
    for name, field in options.model_fields.items():
        sentence = "" if field.default is None else f"Default: {_format_default(field.default)}."
        text = f"{field.description} {defaults.get(name, sentence)}".strip()
        flag = f"--{name.replace('_', '-')}"
        if field.annotation is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            parser.add_argument(flag, metavar=_metavar(name, field), help=text)


def add_mask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mask",
        action="append",
        default=[],
        metavar="PICTURE",
        help="where to paint: a picture of the photo's proportions, white where the style goes; 'alpha', where the "
        "photo itself is not clear; or 'everywhere'. Given again, each further one lies on top of those before.",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="weights: their name, a .npz, an official SavedModel or its archive")


def add_json(parser: argparse.ArgumentParser, each: str) -> None:
    parser.add_argument("--json", action="store_true", help=f"print one JSON object {each}, for scripts")


def given_options(args: argparse.Namespace, options: type[BaseModel]) -> dict[str, Any]:
    """Return those of the options that were given on the command line."""
    values = {name: getattr(args, name) for name in options.model_fields}
    return {name: value for name, value in values.items() if value is not None}


def check_masks(masks: list[str]) -> None:
    """Raise InvalidOption for a mask that is neither a file nor a word, before anything is loaded."""
    for mask in masks:
        if mask not in masking.MASK_WORDS and not Path(mask).is_file():
            words = " or ".join(f"'{word}'" for word in masking.MASK_WORDS)
            raise InvalidOption(f"--mask must be a picture, {words}; there is no file '{mask}'.", "mask")


def _format_default(default: Any) -> str:
    """Format a default as it would be typed."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ",".join(map(str, default)) if isinstance(default, list) else str(default)


def _metavar(name: str, field: FieldInfo) -> str:
    if any(get_origin(kind) is list for kind in (field.annotation, *get_args(field.annotation))):
        return "N,N,…"
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return "|".join(words) if 0 < len(words) <= 4 else name.upper()
