"""The controls of a refinement's options on the explore page, and the presets to choose from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Self

from app.failures import Missing
from app.inputs.references import JOB_PREFIX, RESULT_PREFIX
from app.inputs.stylize_request import LAYER_PREFIXES
from app.jobs.order import SHARED_PAINTING_OPTIONS, OrderStyle
from app.jobs.queue import Job
from app.pages.page_options import FORMAT_NAMES, MATCH_NAMES, START_NAMES, control_text, option_schemas
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
LAYER_KINDS = ("style", "content")
_MAX_IDLE = 3  # layers that are shown at once although nobody uses them
_STAGE_PATTERN = re.compile(r"(?:block|conv|pool)\d+|[a-z]+")
_EXCLUDED_OPTIONS = (
    *("content_layers", "style_layers", "weights"),  # have fields of their own, one for each layer or style
    *("feather", "paint"),  # say nothing without a mask, which this page has not
)
_SHARED_OPTIONS = tuple(name for name in SHARED_PAINTING_OPTIONS if name not in _EXCLUDED_OPTIONS)
_LEADING_OPTIONS = ("preset", "encoder")
_WEIGHT_OPTIONS = ("content_weight", "style_weight", "variation_weight", "strength")
_TRAILING_OPTIONS = (*_SHARED_OPTIONS, "format", "quality")
_OPTIONS = [
    *(name for name in RefineOptions.model_fields if name not in _EXCLUDED_OPTIONS + _TRAILING_OPTIONS),
    *_TRAILING_OPTIONS,
]
_NO_LIMIT = 1e6  # a limit beyond it is nobody's to reach, and not worth saying
_CHOICE_TEXTS = {
    **FORMAT_NAMES,
    **START_NAMES,
    **MATCH_NAMES,
    "lbfgs": "L-BFGS",
    "none": "Left as they are",
    "stransfer": "As Stransfer begins",
    "tutorial": "The tutorial of TensorFlow",
    "paper": "The paper of 2016",
}


@dataclass(frozen=True)
class PresetChoice:
    name: str
    line: str
    steps: int


PRESET_CHOICES = [
    PresetChoice(name, line, RefineOptions.parse({"preset": name}).steps) for name, line in _PRESET_DESCRIPTIONS.items()
]


def options_of_result(result: Result, preset: str) -> RefineOptions:
    """Return the options that refine a result in its size, as far as refinements go."""
    kept = {name: result.order["options"][name] for name in ("format", "quality")}
    return RefineOptions.parse({"preset": preset, "size": _refined_side(result)} | kept)


def _refined_side(result: Result) -> int:
    return min(max(result.width, result.height, MIN_REFINE_SIDE), MAX_REFINE_SIDE)


def styles_without_painting(result: Result, library: Library) -> list[str]:
    """Return the names of the styles of which no painting is here; refining takes one of each."""
    styles = map(OrderStyle.model_validate, result.order["styles"])
    return [style.name for style in styles if not _has_painting(style, library)]


def _has_painting(style: OrderStyle, library: Library) -> bool:
    """Return whether a style is a painting: one that ships, or a stored file that does not begin as a style file."""
    if style.picture is None:
        return style.shipped in {one.id for one in gallery.shipped()}
    try:
        return not style_file.is_style_file(library.head(style.picture, 1))
    except Missing:
        return False


@dataclass(frozen=True)
class LayerControl:
    """A layer's weights: of each of LAYER_KINDS the name of its field and its text."""

    name: str
    name_in_stage: str
    weights: tuple[tuple[str, str, str], ...]

    @property
    def used(self) -> bool:
        return any(text.strip(" 0.,") for _, _, text in self.weights)


@dataclass(frozen=True)
class LayerStage:
    name: str
    layers: Sequence[LayerControl]

    @property
    def unfolded(self) -> list[LayerControl]:
        return [layer for layer in self.layers if layer not in self.folded]

    @property
    def folded(self) -> list[LayerControl]:
        """Return the unused layers, where they are many or all of the stage."""
        idle = [layer for layer in self.layers if not layer.used]
        return idle if len(idle) > _MAX_IDLE or len(idle) == len(self.layers) else []


def layer_field(kind: str, layer: str) -> str:
    return LAYER_PREFIXES[kind] + layer


def layers_from_fields(fields: Mapping[str, str], kind: str) -> dict[str, str] | None:
    """Return each layer's weight as text; None where the form had no such fields."""
    prefix = LAYER_PREFIXES[kind]
    return {name.removeprefix(prefix): text for name, text in fields.items() if name.startswith(prefix)} or None


def group_layers(layers: Iterable[str], weights: Mapping[str, Mapping[str, str]]) -> list[LayerStage]:
    """Group an encoder's layers by stage. `weights`: of each kind, a layer's name -> the text of its weight."""
    return [
        LayerStage(name, [_layer_control(layer, name, weights) for layer in members])
        for name, members in groupby(layers, _stage_name)
    ]


def _stage_name(layer: str) -> str:
    stage = _STAGE_PATTERN.match(layer)
    return stage[0] if stage else layer


def _layer_control(name: str, stage: str, weights: Mapping[str, Mapping[str, str]]) -> LayerControl:
    name_in_stage = name.removeprefix(stage).removeprefix("_") or name
    return LayerControl(
        name, name_in_stage, tuple((kind, layer_field(kind, name), weights[kind].get(name, "")) for kind in LAYER_KINDS)
    )


@dataclass(frozen=True)
class Control:
    """An option's control: a choice where it has `choices`, else a number with its limits as texts, empty if none."""

    name: str
    title: str
    help: str
    value: str
    choices: tuple[tuple[str, str], ...]  # value, words
    minimum: str
    maximum: str
    is_integer: bool
    placeholder: str  # its value where nothing is given and no preset has it

    @property
    def limits(self) -> str:
        """Both limits in words, where the help says nothing of them."""
        is_stated = self.minimum and self.maximum and self.maximum not in self.help
        return f"{self.minimum} to {self.maximum}" if is_stated else ""


@dataclass(frozen=True)
class Controls:
    """All controls of the page.

    `values`: an option's name -> its text. `layers`: of each kind, a layer's name -> the text of its weight.
    `origin`: the result whose picture the refinement may begin with, as "result:<id>", or empty. `start_job`: the job
    that began with a picture of its own, which the refinement may begin with as well, as "job:<id>", or empty.
    """

    values: Mapping[str, str]
    layers: Mapping[str, Mapping[str, str]]
    origin: str = ""
    start_job: str = ""

    @classmethod
    def of_options(cls, options: RefineOptions) -> Self:
        encoder = _find_encoder(options.encoder)
        content, style = encoder.layers_or_defaults(options.content_layers, options.style_layers)
        layers = {"style": _weight_texts(style), "content": _weight_texts(content)}
        return cls({name: control_text(getattr(options, name)) for name in _OPTIONS}, layers)

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> Self:
        """Return the controls as they were sent, right or wrong; what was left empty is as the preset has it."""
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
        """Return what a refinement was made with; of a pastiche, what refines it."""
        origin, order = RESULT_PREFIX + result.id if result else "", job.order
        if isinstance(order.options, RefineOptions):
            controls = replace(cls.of_options(order.options), origin=origin).with_start_of(job)
            start = controls.start_job or controls.values["start"]
            return replace(controls, values={**controls.values, "start": start})
        kept = {name: getattr(order.options, name) for name in ("strength", "format", "quality", *_SHARED_OPTIONS)}
        refined = cls.of_options(RefineOptions.parse(kept))
        begun = _values_of_result(result) if result else {}
        return cls({**refined.values, **begun}, refined.layers, origin)

    def with_start_of(self, job: Job) -> Self:
        """Add the picture that a job began with, if any, as a choice to begin with."""
        return replace(self, start_job=JOB_PREFIX + job.id) if job.order.start else self

    @property
    def encoder(self) -> Encoder:
        """Return the chosen encoder, or the one that 'auto' stands for on this machine."""
        return _find_encoder(self.values["encoder"])

    @property
    def stages(self) -> list[LayerStage]:
        return group_layers(self.encoder.layers, self.layers)

    @property
    def problem_fields(self) -> set[str]:
        """Return the fields beside which the page has a place for a problem."""
        return {"content", "style", "weights", "content_layers", "style_layers", *_OPTIONS}

    @property
    def weight_controls(self) -> list[Control]:
        return [self.control(name) for name in _WEIGHT_OPTIONS]

    @property
    def other_controls(self) -> list[Control]:
        """Return the controls of the optimizer, the size, the start and the file."""
        return [self.control(name) for name in _OPTIONS if name not in _LEADING_OPTIONS + _WEIGHT_OPTIONS]

    def control(self, name: str) -> Control:
        schema = option_schemas(RefineOptions)[name]
        choices = tuple((choice, _choice_text(name, choice)) for choice in _choice_values(name))
        if name == "start":
            choices = (*choices, *self._start_pictures())
        return Control(
            name,
            title=name.replace("_", " ").capitalize(),
            help=schema["description"],
            value=self.values.get(name, ""),
            choices=choices,
            minimum=_limit_text(schema.get("minimum")),
            maximum=_limit_text(schema.get("maximum")),
            is_integer=schema.get("type") == "integer",
            placeholder="unlimited" if RefineOptions.model_fields[name].default is None else "",
        )

    def _start_pictures(self) -> Iterator[tuple[str, str]]:
        """Yield the pictures to begin with besides those that the options name."""
        if self.origin:
            yield self.origin, "Your result"
        if self.start_job:
            yield self.start_job, "The same picture as before"


def _values_of_result(result: Result) -> dict[str, str]:
    """Return what refines a result as it is: from its picture, in its size."""
    return {"start": RESULT_PREFIX + result.id, "size": str(_refined_side(result))}


def _limit_text(limit: float | None) -> str:
    return f"{limit:g}" if limit is not None and limit < _NO_LIMIT else ""


def _choice_values(name: str) -> list[str]:
    choices: list[str] = option_schemas(RefineOptions)[name].get("enum", [])
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
    return {layer: control_text(weight) for layer, weight in weights.items()}
