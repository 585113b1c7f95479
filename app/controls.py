"""The options of a refinement as the controls of a page: all of them, as the model describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

from app.choices import JOB, RESULT
from app.jobs import Job
from app.records import Result
from app.stages import KINDS, Stage, sent_layers, stages
from model import encoder_layers
from model.encoder_layers import Encoder
from model.options import MAX_REFINED, MIN_REFINED, RefineOptions

_APART = (
    *("content_layers", "style_layers", "weights"),  # have fields of their own, one for each layer or style
    *("feather", "paint"),  # say nothing without a mask, which this page has not
)
_COLOURS = ("keep_colours", "keep_light", "match_colours")
_FIRST = ("preset", "encoder")
_WEIGHTS = ("content_weight", "style_weight", "variation_weight", "strength")
_ENDLESS = 1e6  # a limit beyond it is nobody's to reach, and not worth saying
_WORDS = {
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
        encoder = _encoder(options.encoder)
        content, style = encoder.filled(options.content_layers, options.style_layers)
        layers = {"style": _weights(style), "content": _weights(content)}
        return cls({name: _text(getattr(options, name)) for name in _OPTIONS}, layers)

    @classmethod
    def of_sent(cls, fields: Mapping[str, str]) -> Self:
        """As they were sent, right or wrong; what was not, or was left empty, as the preset has it."""
        first = {name: fields[name] for name in _FIRST if fields.get(name) in _choices(name)}
        usual = cls.of_options(RefineOptions.parse(first))
        sent = {name: fields[name] for name in _OPTIONS if name not in _FIRST and fields.get(name)}
        layers = {kind: sent_layers(fields, kind) or usual.layers[kind] for kind in KINDS}
        origin, start = fields.get("content", ""), fields.get("start", "")
        return cls(
            {**usual.values, **sent},
            layers,
            origin if origin.startswith(RESULT) else "",
            start if start.startswith(JOB) else "",
        )

    @classmethod
    def of_job(cls, job: Job, result: Result | None = None) -> Self:
        """All that a refinement was made with; of a pastiche, what refines it."""
        origin, order = RESULT + result.id if result else "", job.order
        if isinstance(order.options, RefineOptions):
            made = replace(cls.of_options(order.options), origin=origin).offering(job)
            return replace(made, values={**made.values, "start": made.beginning or made.values["start"]})
        kept = {name: getattr(order.options, name) for name in ("strength", "format", "quality", *_COLOURS)}
        refined = cls.of_options(RefineOptions.parse(kept))
        begun = _begun(result) if result else {}
        return cls({**refined.values, **begun}, refined.layers, origin)

    def offering(self, job: Job) -> Self:
        """And the picture that this job began with, if any, as a choice."""
        return replace(self, beginning=JOB + job.id) if job.order.start else self

    @property
    def judge(self) -> Encoder:
        """The encoder, or the one that 'auto' stands for on this machine."""
        return _encoder(self.values["encoder"])

    @property
    def stages(self) -> list[Stage]:
        return stages(self.judge.layers, self.layers)

    @property
    def weights(self) -> list[Control]:
        return [self.of(name) for name in _WEIGHTS]

    @property
    def descent(self) -> list[Control]:
        """Whatever else there is."""
        return [self.of(name) for name in _OPTIONS if name not in _FIRST + _WEIGHTS]

    def of(self, name: str) -> Control:
        found = _described(name)
        choices = tuple((choice, _said(name, choice)) for choice in _choices(name))
        if name == "start":
            choices = (*choices, *self._pictures())
        return Control(
            name,
            title=name.replace("_", " ").capitalize(),
            help=found["description"],
            value=self.values.get(name, ""),
            choices=choices,
            least=_limit(found, "minimum", "ge"),
            most=_limit(found, "maximum", "le"),
            whole=found.get("type") == "integer",
            without="unlimited" if RefineOptions.model_fields[name].default is None else "",
        )

    def _pictures(self) -> Iterator[tuple[str, str]]:
        """To begin with, besides those that the options name."""
        if self.origin:
            yield self.origin, "Your result"
        if self.beginning:
            yield self.beginning, "The same picture as before"


def _begun(result: Result) -> dict[str, str]:
    """To refine it as it is: from its picture, as large as that is."""
    size = max(MIN_REFINED, min(max(result.width, result.height), MAX_REFINED))
    return {"start": RESULT + result.id, "size": str(size)}


_LAST = (*_COLOURS, "format", "quality")
_OPTIONS = [*(name for name in RefineOptions.model_fields if name not in _APART + _LAST), *_LAST]


@cache
def _schema() -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = RefineOptions.model_json_schema()["properties"]
    return properties


def _described(name: str) -> dict[str, Any]:
    """The option's JSON schema; where it may be None, of what it is else."""
    found = _schema()[name]
    return {**found.get("anyOf", [{}])[0], **found}


def _limit(found: dict[str, Any], *keys: str) -> str:
    limits = [found[key] for key in keys if key in found]
    return f"{limits[0]:g}" if limits and limits[0] < _ENDLESS else ""


def _choices(name: str) -> list[str]:
    choices: list[str] = _schema()[name].get("enum", [])
    return choices


def _said(name: str, choice: str) -> str:
    if name != "encoder":
        return _WORDS.get(choice, choice.capitalize())
    if choice == "auto":
        return f"Automatic: {encoder_layers.best()}"
    return f"{choice} · {'ready' if encoder_layers.find(choice) else 'to be downloaded first'}"


def _encoder(name: str) -> Encoder:
    return encoder_layers.get(encoder_layers.best() if name not in encoder_layers.ENCODERS else name)


def _weights(weights: Mapping[str, float]) -> dict[str, str]:
    return {layer: _text(weight) for layer, weight in weights.items()}


def _text(value: Any) -> str:
    """As short as it reads back the same: 0.02, 10000, 1."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
