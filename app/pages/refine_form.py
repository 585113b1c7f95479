"""The options of a refinement as the controls of a page: all of them, as the model describes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any, Self

from app.failures import Missing
from app.inputs.references import JOB_PREFIX, RESULT_PREFIX
from app.jobs.order import OrderStyle
from app.jobs.queue import Job
from app.storage import gallery
from app.storage.library import Library
from app.storage.records import Result
from model import style_file
from model.options import MAX_REFINE_SIDE, MIN_REFINE_SIDE, RefineOptions
from model.refinement import encoder_registry
from model.refinement.encoder_registry import Encoder

_PRESET_DESCRIPTIONS = {
    "fast": "A first look at what refining does.",
    "balanced": "More of the painting in every stroke.",
    "best": "The finest, for those who can wait.",
}


@dataclass(frozen=True)
class PresetChoice:
    """A preset as a choice on a page."""

    name: str
    line: str
    steps: int


PRESET_CHOICES = [
    PresetChoice(name, line, RefineOptions.parse({"preset": name}).steps) for name, line in _PRESET_DESCRIPTIONS.items()
]


def options_of_result(result: Result, preset: str) -> RefineOptions:
    """The result itself, refined: of its size as far as that can be."""
    size = min(max(result.width, result.height, MIN_REFINE_SIDE), MAX_REFINE_SIDE)
    kept = {name: result.order["options"][name] for name in ("format", "quality")}
    return RefineOptions.parse({"preset": preset, "size": size} | kept)


def styles_without_painting(result: Result, library: Library) -> list[str]:
    """The names of the styles of which no painting is here, and without that nothing is refined."""
    styles = map(OrderStyle.model_validate, result.order["styles"])
    return [style.name for style in styles if not _has_painting(style, library)]


def _has_painting(style: OrderStyle, library: Library) -> bool:
    """What ships is one; of what is stored the first byte tells."""
    if style.picture is None:
        return style.shipped in {one.id for one in gallery.shipped()}
    try:
        return not style_file.is_style_file(library.head(style.picture, 1))
    except Missing:
        return False


LAYER_KINDS = ("style", "content")
_MAX_IDLE = 3  # layers that are shown at once although nobody uses them
_STAGE_PATTERN = re.compile(r"(?:block|conv|pool)\d+|[a-z]+")


@dataclass(frozen=True)
class LayerControl:
    """`weights`: of each kind, in KINDS' order, the name of its field and its text."""

    name: str
    short: str  # its name within its stage
    weights: tuple[tuple[str, str, str], ...]

    @property
    def used(self) -> bool:
        return any(text.strip(" 0.,") for _, _, text in self.weights)


@dataclass(frozen=True)
class LayerStage:
    name: str
    layers: Sequence[LayerControl]

    @property
    def shown(self) -> list[LayerControl]:
        return [layer for layer in self.layers if layer not in self.folded]

    @property
    def folded(self) -> list[LayerControl]:
        """Those that are not used, where they are many or all of the stage."""
        idle = [layer for layer in self.layers if not layer.used]
        return idle if len(idle) > _MAX_IDLE or len(idle) == len(self.layers) else []


def layer_field(kind: str, layer: str) -> str:
    return f"{kind}-layer-{layer}"


def layers_from_fields(fields: Mapping[str, str], kind: str) -> dict[str, str] | None:
    """Layer -> the text of its weight; None where the form had no such fields."""
    prefix = layer_field(kind, "")
    return {name.removeprefix(prefix): text for name, text in fields.items() if name.startswith(prefix)} or None


def group_layers(layers: Iterable[str], weights: Mapping[str, Mapping[str, str]]) -> list[LayerStage]:
    """`weights`: of each kind, a layer's name -> the text of its weight."""
    grouped = ((name, list(found)) for name, found in groupby(layers, _stage_name))
    return [LayerStage(name, [_layer_control(one, name, weights) for one in found]) for name, found in grouped]


def _stage_name(layer: str) -> str:
    found = _STAGE_PATTERN.match(layer)
    return found[0] if found else layer


def _layer_control(name: str, stage: str, weights: Mapping[str, Mapping[str, str]]) -> LayerControl:
    short = name.removeprefix(stage).removeprefix("_") or name
    return LayerControl(
        name, short, tuple((kind, layer_field(kind, name), weights[kind].get(name, "")) for kind in LAYER_KINDS)
    )


_EXCLUDED_OPTIONS = (
    *("content_layers", "style_layers", "weights"),  # have fields of their own, one for each layer or style
    *("feather", "paint"),  # say nothing without a mask, which this page has not
)
_COLOUR_OPTIONS = ("keep_colours", "keep_light", "match_colours")
_LEADING_OPTIONS = ("preset", "encoder")
_WEIGHT_OPTIONS = ("content_weight", "style_weight", "variation_weight", "strength")
_NO_LIMIT = 1e6  # a limit beyond it is nobody's to reach, and not worth saying
_CHOICE_TEXTS = {
    "lbfgs": "L-BFGS",
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WebP",
    "tiff": "TIFF",
    "none": "Left as they are",
    "histogram": "Shade by shade",
    "covariance": "On the whole",
    "stransfer": "As Stransfer begins",
    "tutorial": "The tutorial of TensorFlow",
    "paper": "The paper of 2016",
    "content": "The photo",
    "pastiche": "A quick pastiche",
}


@dataclass(frozen=True)
class Control:
    """A choice where there are `choices`, else a number. All limits are texts, empty where there is none."""

    name: str
    title: str
    help: str
    value: str
    choices: tuple[tuple[str, str], ...]  # value, words
    least: str
    most: str
    whole: bool
    without: str  # what it is where nothing is given and no preset says it

    @property
    def limits(self) -> str:
        """Where its help says nothing of them."""
        return f"{self.least} to {self.most}" if self.least and self.most and self.most not in self.help else ""


@dataclass(frozen=True)
class Controls:
    """`values`: an option's name -> its text. `layers`: of each kind, a layer's name -> the text of its weight.
    `origin`: the result whose picture it may begin with, if any, as "result:<id>". `beginning`: the job that began with
    a picture, which it may begin with as well, as "job:<id>".
    """

    values: Mapping[str, str]
    layers: Mapping[str, Mapping[str, str]]
    origin: str = ""
    beginning: str = ""

    @classmethod
    def of_options(cls, options: RefineOptions) -> Self:
        encoder = _find_encoder(options.encoder)
        content, style = encoder.layers_or_defaults(options.content_layers, options.style_layers)
        layers = {"style": _weight_texts(style), "content": _weight_texts(content)}
        return cls({name: _control_text(getattr(options, name)) for name in _OPTIONS}, layers)

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> Self:
        """As they were sent, right or wrong; what was not, or was left empty, as the preset has it."""
        first = {name: fields[name] for name in _LEADING_OPTIONS if fields.get(name) in _choice_values(name)}
        usual = cls.of_options(RefineOptions.parse(first))
        sent = {name: fields[name] for name in _OPTIONS if name not in _LEADING_OPTIONS and fields.get(name)}
        layers = {kind: layers_from_fields(fields, kind) or usual.layers[kind] for kind in LAYER_KINDS}
        origin, start = fields.get("content", ""), fields.get("start", "")
        return cls(
            {**usual.values, **sent},
            layers,
            origin if origin.startswith(RESULT_PREFIX) else "",
            start if start.startswith(JOB_PREFIX) else "",
        )

    @classmethod
    def of_job(cls, job: Job, result: Result | None = None) -> Self:
        """All that a refinement was made with; of a pastiche, what refines it."""
        origin, order = RESULT_PREFIX + result.id if result else "", job.order
        if isinstance(order.options, RefineOptions):
            made = replace(cls.of_options(order.options), origin=origin).with_beginning(job)
            return replace(made, values={**made.values, "start": made.beginning or made.values["start"]})
        kept = {name: getattr(order.options, name) for name in ("strength", "format", "quality", *_COLOUR_OPTIONS)}
        refined = cls.of_options(RefineOptions.parse(kept))
        begun = _values_of_result(result) if result else {}
        return cls({**refined.values, **begun}, refined.layers, origin)

    def with_beginning(self, job: Job) -> Self:
        """And the picture that this job began with, if any, as a choice."""
        return replace(self, beginning=JOB_PREFIX + job.id) if job.order.start else self

    @property
    def judge(self) -> Encoder:
        """The encoder, or the one that 'auto' stands for on this machine."""
        return _find_encoder(self.values["encoder"])

    @property
    def stages(self) -> list[LayerStage]:
        return group_layers(self.judge.layers, self.layers)

    @property
    def weights(self) -> list[Control]:
        return [self.of(name) for name in _WEIGHT_OPTIONS]

    @property
    def descent(self) -> list[Control]:
        """Whatever else there is."""
        return [self.of(name) for name in _OPTIONS if name not in _LEADING_OPTIONS + _WEIGHT_OPTIONS]

    def of(self, name: str) -> Control:
        found = _option_schema(name)
        choices = tuple((choice, _choice_text(name, choice)) for choice in _choice_values(name))
        if name == "start":
            choices = (*choices, *self._start_pictures())
        return Control(
            name,
            title=name.replace("_", " ").capitalize(),
            help=found["description"],
            value=self.values.get(name, ""),
            choices=choices,
            least=_limit_text(found, "minimum", "ge"),
            most=_limit_text(found, "maximum", "le"),
            whole=found.get("type") == "integer",
            without="unlimited" if RefineOptions.model_fields[name].default is None else "",
        )

    def _start_pictures(self) -> Iterator[tuple[str, str]]:
        """To begin with, besides those that the options name."""
        if self.origin:
            yield self.origin, "Your result"
        if self.beginning:
            yield self.beginning, "The same picture as before"


def _values_of_result(result: Result) -> dict[str, str]:
    """To refine it as it is: from its picture, as large as that is."""
    size = max(MIN_REFINE_SIDE, min(max(result.width, result.height), MAX_REFINE_SIDE))
    return {"start": RESULT_PREFIX + result.id, "size": str(size)}


_TRAILING_OPTIONS = (*_COLOUR_OPTIONS, "format", "quality")
_OPTIONS = [
    *(name for name in RefineOptions.model_fields if name not in _EXCLUDED_OPTIONS + _TRAILING_OPTIONS),
    *_TRAILING_OPTIONS,
]


@cache
def _option_schemas() -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = RefineOptions.model_json_schema()["properties"]
    return properties


def _option_schema(name: str) -> dict[str, Any]:
    """The option's JSON schema; where it may be None, of what it is else."""
    found = _option_schemas()[name]
    return {**found.get("anyOf", [{}])[0], **found}


def _limit_text(found: dict[str, Any], *keys: str) -> str:
    limits = [found[key] for key in keys if key in found]
    return f"{limits[0]:g}" if limits and limits[0] < _NO_LIMIT else ""


def _choice_values(name: str) -> list[str]:
    choices: list[str] = _option_schemas()[name].get("enum", [])
    return choices


def _choice_text(name: str, choice: str) -> str:
    if name != "encoder":
        return _CHOICE_TEXTS.get(choice, choice.capitalize())
    if choice == "auto":
        return f"Automatic: {encoder_registry.best_available()}"
    return f"{choice} · {'ready' if encoder_registry.find(choice) else 'to be downloaded first'}"


def _find_encoder(name: str) -> Encoder:
    return encoder_registry.get(encoder_registry.best_available() if name not in encoder_registry.ENCODERS else name)


def _weight_texts(weights: Mapping[str, float]) -> dict[str, str]:
    return {layer: _control_text(weight) for layer, weight in weights.items()}


def _control_text(value: Any) -> str:
    """As short as it reads back the same: 0.02, 10000, 1."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
