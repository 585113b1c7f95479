"""Every parameter of a pastiche: name, default, limits and help, once, for all doors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from model.errors import InvalidOption

MAX_STYLES = 8
MIN_SIDE, DEFAULT_SIDE, MAX_SIDE = 32, 2048, 4096  # pixels, long side of the result
MIN_REFINED, MAX_REFINED = 100, 2048  # pixels, likewise


def _number(value: Any) -> Any:
    """Refuses what Python would quietly take for a number: True for 1, "1_000" for 1000."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise PydanticCustomError("float_type", "not a number")
    return value


def _own(value: Any) -> Any:
    """The word for the photo's own size; None stands for it inside, but is no size when a request sends it."""
    if value is None:
        raise PydanticCustomError("int_type", "not a number")
    return None if value == "own" else value


def _list(value: Any) -> Any:
    """ "2, 1" -> ["2", "1"]: how forms and the shell write a list."""
    if value is None:
        raise PydanticCustomError("list_type", "not a list")
    return value.split(",") if isinstance(value, str) else value


def _unlimited(value: Any) -> Any:
    """As with `_own`, the word for no limit."""
    if value is None:
        raise PydanticCustomError("float_type", "not a number")
    return None if value == "unlimited" else value


def _layers(value: Any) -> Any:
    """ "block1_conv1:0.5, block2_conv1" -> {"block1_conv1": "0.5", "block2_conv1": 1}; a list of names likewise."""
    if value is None:
        raise PydanticCustomError("dict_type", "not layers")
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        return value
    parts = [str(item).partition(":") for item in value]
    layers = {name.strip(): share if colon else 1 for name, colon, share in parts}
    if len(layers) < len(parts):
        raise PydanticCustomError("layer_twice", "a layer twice")
    return layers


Number = Annotated[float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_number)]
Share = Annotated[Number, Field(ge=0, le=1000)]
Side = Annotated[Whole, Field(ge=MIN_SIDE, le=MAX_SIDE)]
Seconds = Annotated[Number, Field(gt=0, le=86_400)]
Format = Literal["png", "jpeg", "webp"]
Weights = Annotated[
    list[Share] | None,
    BeforeValidator(_list),
    Field(max_length=MAX_STYLES, description="How much of each style in turn, 0 to 1000; only ratios count."),
]
Layers = Annotated[dict[str, Annotated[Number, Field(ge=0, le=1)]] | None, BeforeValidator(_layers)]


Start = Literal["pastiche", "content", "noise"]
START_WORDS = get_args(Start)
Preset = Literal["fast", "balanced", "best", "stransfer", "tutorial", "paper"]
EncoderName = Literal[
    "auto",
    "vgg19-slim",
    "vgg19",
    "vgg16",
    "inception_v3",
    "xception",
    "densenet121",
    "resnet50",
    "resnet50v2",
]

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"encoder": "vgg19-slim", "content_weight": 0.05, "variation_weight": 0.1, "steps": 50},
    "balanced": {},
    "best": {"content_weight": 0.028, "variation_weight": 0.02, "steps": 200, "scales": 1, "patience": 30},
    # What the explorer Stransfer starts with; its losses here are relative, so that its weights suit any encoder.
    "stransfer": {
        "encoder": "vgg16",
        "content_weight": 1.0,
        "style_weight": 1000.0,
        "variation_weight": 12.0,
        "optimizer": "lbfgs",
        "steps": 20,
        "size": 500,
        "start": "content",
        "scales": 1,
        "average": 0.0,
    },
    # https://www.tensorflow.org/tutorials/generative/style_transfer
    "tutorial": {
        "encoder": "vgg19",
        "content_layers": {"block5_conv2": 1.0},
        "content_weight": 1e4,
        "style_weight": 1e-2,
        "variation_weight": 30.0,
        "loss": "absolute",
        "rate": 0.02,
        "steps": 1000,
        "start": "content",
        "scales": 1,
        "average": 0.0,
    },
    # Gatys, Ecker and Bethge 2016: from noise, by L-BFGS. Its ratio of weights is for features of mean 1; this is for
    # VGG19's own.
    "paper": {
        "encoder": "vgg19",
        "content_weight": 1e4,
        "style_weight": 1e-2,
        "variation_weight": 0.0,
        "loss": "absolute",
        "optimizer": "lbfgs",
        "steps": 500,
        "start": "noise",
        "scales": 1,
        "average": 0.0,
    },
}


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Validated options; InvalidOption names the first field at fault and its limits."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else None
            raise InvalidOption(_sentence(first, cls.model_fields), field) from None


class StylizeOptions(_Options):
    """What a user may ask of one pastiche, besides its pictures."""

    strength: Number = Field(
        1.0, ge=0, le=1, description="0 keeps the photo's own look, 1 is the full style; mixes style vectors."
    )
    size: Annotated[Side | None, BeforeValidator(_own)] = Field(
        None,
        description=f"Long side of the result in pixels, {MIN_SIDE} to {MAX_SIDE}; 'own' or left out: "
        f"the photo's own, at most {DEFAULT_SIDE}.",
    )
    weights: Weights = None
    format: Format = Field("png", description="Kind of file that comes back.")
    quality: Whole = Field(92, ge=1, le=100, description="Of JPEG and WebP, 1 to 100; PNG loses nothing.")

    def blend_weights(self, styles: int) -> list[float]:
        """One weight for each of `styles`, adding up to 1."""
        return _shares(self.weights, styles)


class RefineOptions(_Options):
    """What a user may ask of an optimisation, besides its pictures. What is left out, the preset decides."""

    preset: Preset = Field("balanced", description="Where all other options start from.")
    encoder: EncoderName = Field(
        "auto", description="The network that judges; 'auto': VGG19 where its weights are, else the one that ships."
    )
    content_layers: Layers = Field(
        None, description="Where content is compared: name:weight,… from 0 to 1. Left out: where the encoder does well."
    )
    style_layers: Layers = Field(None, description="Where style is compared, likewise.")
    content_weight: Number = Field(0.016, ge=0, le=1e9, description="How much the photo's content counts.")
    style_weight: Number = Field(1.0, ge=0, le=1e9, description="How much the style counts.")
    variation_weight: Number = Field(0.05, ge=0, le=1e9, description="Total variation: how much smoothness counts.")
    loss: Literal["relative", "absolute"] = Field(
        "relative",
        description="'relative': as shares of the target's own size, so that all layers count alike; 'absolute': mean "
        "squares, as in the paper.",
    )
    optimizer: Literal["adam", "lbfgs"] = Field("adam", description="'lbfgs' needs no rate and pays for it in time.")
    rate: Number = Field(0.02, gt=0, le=1, description="Adam's step, as a share of the range of a colour.")
    steps: Whole = Field(120, ge=1, le=10_000, description="In all, 1 to 10000.")
    seconds: Annotated[Seconds | None, BeforeValidator(_unlimited)] = Field(
        None, description="Time budget, up to a day; 'unlimited' or left out: until the steps are done."
    )
    size: Annotated[Whole, Field(ge=MIN_REFINED, le=MAX_REFINED)] = Field(
        512, description=f"Long side of the result in pixels, {MIN_REFINED} to {MAX_REFINED}."
    )
    start: Start = Field("pastiche", description="The picture to begin with.")
    seed: Whole = Field(0, ge=0, le=999_999_999, description="Of the noise.")
    style_scale: Number = Field(1.0, ge=0.25, le=4, description="Brush size: how much larger the style's strokes are.")
    scales: Whole = Field(
        2, ge=1, le=8, description="Sizes to go through, from coarse to fine; each doubles the number of pixels."
    )
    average: Number = Field(
        0.9, ge=0, le=0.999, description="Share of the former steps in the result, which calms it; 0: the last step."
    )
    patience: Whole = Field(
        0, ge=0, le=1000, description="Ends a scale when the loss fell no more for so many steps; 0: never."
    )
    strength: Number = Field(1.0, ge=0, le=1, description="0 keeps the photo's own look, 1 is the full style.")
    weights: Weights = None
    format: Format = Field("png", description="Kind of file that comes back.")
    quality: Whole = Field(92, ge=1, le=100, description="Of JPEG and WebP, 1 to 100; PNG loses nothing.")

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, values: Any) -> Any:
        """A preset's layers belong to its encoder."""
        name = values.get("preset", "balanced") if isinstance(values, dict) else None
        if not (isinstance(name, str) and name in PRESETS):
            return values
        preset = PRESETS[name]
        if values.get("encoder") not in (None, preset.get("encoder")):
            preset = {key: value for key, value in preset.items() if not key.endswith("_layers")}
        return preset | values

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if not (self.content_weight or self.style_weight):
            raise InvalidOption("'style_weight' must be more than 0 where 'content_weight' is 0.", "style_weight")
        style = self.style_weight and _any_weight(self.style_layers)
        content = self.content_weight and _any_weight(self.content_layers)
        if not (style or content):
            field = "style_layers" if self.style_weight else "content_layers"
            raise InvalidOption(f"'{field}' must have a weight that is more than 0.", field)
        return self

    def blend_weights(self, styles: int) -> list[float]:
        """One weight for each of `styles`, adding up to 1."""
        return _shares(self.weights, styles)


def _any_weight(layers: Mapping[str, float] | None) -> bool:
    return layers is None or any(layers.values())


def _shares(weights: list[float] | None, styles: int) -> list[float]:
    if not 1 <= styles <= MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} styles, not {styles}.", "style")
    weights = weights if weights is not None else [1.0] * styles
    if len(weights) != styles:
        raise InvalidOption(f"There are {styles} styles but {len(weights)} weights: give one for each.", "weights")
    total = sum(weights)
    if not total:
        raise InvalidOption("At least one of the weights must be more than 0.", "weights")
    return [weight / total for weight in weights]


_REASONS = {  # pydantic's error types in plain words
    "dict_type": "layers' names with their weights",
    "extra_forbidden": "left out: the options are {options}",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_type": "a whole number",
    "layer_twice": "layers' names, each once",
    "less_than_equal": "{le} or less",
    "list_type": "a list of numbers",
    "literal_error": "{expected}",
    "too_long": "at most {max_length} numbers",
}


def _sentence(error: Any, options: Iterable[str]) -> str:
    reason = _REASONS.get(error["type"], error["msg"])
    limits = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
    return f"{_named(*error['loc'])} must be {reason.format(options=', '.join(options), **limits)}."


def _named(field: str | int | None = None, *parts: str | int) -> str:
    """'style_layers': block1_conv1, where the value of one layer is at fault."""
    keys = [part[:40] for part in parts if isinstance(part, str)]
    return f"'{field}'{': ' if keys else ''}{' '.join(keys)}"


def _plain(value: Any) -> Any:
    """A number as people write it, without exponents."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, int | float) else value
