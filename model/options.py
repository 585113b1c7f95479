"""The options of every pipeline: names, defaults, limits and help texts, for the server, command line and Python."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from model.errors import InvalidOption, ResultTooLarge

MAX_STYLES = MAX_MASKS = 8
MIN_SIDE, DEFAULT_SIDE, MAX_SIDE = 32, 2048, 32_768  # pixels, long side of the result
MAX_RESULT_PIXELS = 200_000_000  # pixels of the result
MAX_SHEET_CELLS = 96  # small pictures on a contact sheet
MAX_STRENGTH = 1.5  # 1 is the full style; beyond 1.5 colours burn out
MAX_SECONDS = 86_400  # of a refinement or a training: a day
DEFAULT_DPI = 300  # pixels an inch of a print
DEFAULT_CLIP_SIDE, MAX_CLIP_SIDE = 1080, 2048  # pixels, long side of a clip
MIN_REFINE_SIDE, MAX_REFINE_SIDE = 100, 2048  # pixels, long side of a refinement


def _reject_lookalike_numbers(value: Any) -> Any:
    """Refuse what Python would quietly take for a number: True for 1, "1_000" for 1000."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise PydanticCustomError("float_type", "not a number")
    return value


def _parse_own(value: Any) -> Any:
    """Parse 'own', the photo's own size or resolution, as None; a None that was sent is no number."""
    if value is None:
        raise PydanticCustomError("int_type", "not a number")
    return None if value == "own" else value


def _split_list(value: Any) -> Any:
    """Split "2, 1" into ["2", "1"], as forms and the shell write a list."""
    if value is None:
        raise PydanticCustomError("list_type", "not a list")
    return value.split(",") if isinstance(value, str) else value


def _parse_yes_no(value: Any) -> Any:
    """Parse 'yes' and 'no', as forms and the shell write them."""
    return {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value


def _parse_unlimited(value: Any) -> Any:
    """Parse 'unlimited' as None; a None that was sent is no number."""
    if value is None:
        raise PydanticCustomError("float_type", "not a number")
    return None if value == "unlimited" else value


def _parse_print(value: Any) -> Any:
    """Normalise "60 X 40 cm" to "60x40cm", and 'no' to None."""
    if value == "no":
        return None
    text = value.replace(" ", "").replace("\u00d7", "x").lower() if isinstance(value, str) else ""
    if not _PRINT_PATTERN.fullmatch(text):
        raise PydanticCustomError("print", "no size of a print")
    return text


def _parse_layers(value: Any) -> Any:
    """Parse "block1_conv1:0.5, block2_conv1", or a list of such, as {"block1_conv1": "0.5", "block2_conv1": 1}."""
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


_PRINT_PATTERN = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)x(\d{1,4}(?:\.\d{1,3})?)(mm|cm|in)")
UNITS_PER_INCH = {"mm": 25.4, "cm": 2.54, "in": 1.0}

Number = Annotated[float, BeforeValidator(_reject_lookalike_numbers)]
Whole = Annotated[int, BeforeValidator(_reject_lookalike_numbers)]
BlendWeight = Annotated[Number, Field(ge=0, le=1000)]
Side = Annotated[Whole, Field(ge=MIN_SIDE, le=MAX_SIDE)]
Seconds = Annotated[Number, Field(gt=0, le=MAX_SECONDS)]
UnitInterval = Annotated[Number, Field(ge=0, le=1)]
Strength = Annotated[Number, Field(ge=0, le=MAX_STRENGTH)]
StyleScale = Annotated[Number, Field(ge=0.25, le=4)]
PrintDpi = Annotated[Whole, Field(ge=30, le=2400)]
Format = Literal["png", "jpeg", "webp", "tiff"]
BlendWeights = Annotated[
    list[BlendWeight] | None,
    BeforeValidator(_split_list),
    Field(max_length=MAX_STYLES, description="How much of each style in turn, 0 to 1000; only ratios count."),
]
LayerWeightsOption = Annotated[dict[str, Annotated[Number, Field(ge=0, le=1)]] | None, BeforeValidator(_parse_layers)]


NetworkChoice = Literal["auto", "shared"]
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
OptimizerName = Literal["adam", "lbfgs"]
LossKind = Literal["relative", "absolute"]
TrainPreset = Literal["default", "johnson"]

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"encoder": "vgg19-slim", "content_weight": 0.05, "variation_weight": 0.1, "steps": 50},
    "balanced": {},
    "best": {"content_weight": 0.028, "variation_weight": 0.02, "steps": 200, "scales": 1, "patience": 30},
    # The defaults of the explorer Stransfer; its losses are relative here, so that its weights suit any encoder.
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

TRAIN_PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    # Johnson, Alahi and Fei-Fei 2016 with the weights of PyTorch's example, github.com/pytorch/examples, whose total
    # variation is none; this is about a hundredth of the content's share.
    "johnson": {
        "judge": "vgg16",
        "loss": "absolute",
        "content_weight": 1e5,
        "style_weight": 1e10,
        "noise_weight": 0.0,
        "flat_weight": 0.0,
        "variation_weight": 1e4,
        "rate": 1e-3,
        "batch": 4,
        "average": 0.0,
    },
}


class _ValidatedOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Return validated options; raise InvalidOption with the first field at fault and its limits."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else None
            raise InvalidOption(_describe_error(first, cls.model_fields), field) from None


class _PasticheOptions(_ValidatedOptions):
    """What is done to the colours before the painting, and to the pixels after it; the same for both methods."""

    keep_colours: UnitInterval = Field(
        0.0, description="Share of the photo's own colours in the result; light is not touched."
    )
    keep_light: UnitInterval = Field(
        0.0, description="Share of the photo's own light and shade; at 1 only the colours of the style are left."
    )
    match_colours: Literal["none", "histogram", "covariance"] = Field(
        "none",
        description="Makes the painting's colours like the photo's before it is looked at: by their distribution in "
        "each channel, or by mean and covariance.",
    )
    feather: Annotated[Number, Field(ge=0, le=20)] = Field(
        0.0, description="How soft the edges of masks are made, in percent of the long side, 0 to 20."
    )
    paint: Literal["inside", "outside"] = Field(
        "inside", description="Where a mask is white the style goes 'inside', or everywhere 'outside' of that."
    )
    weights: BlendWeights = None
    format: Format = Field("png", description="Kind of file that comes back.")
    quality: Whole = Field(92, ge=1, le=100, description="Of JPEG and WebP, 1 to 100; PNG and TIFF lose nothing.")

    def blend_weights(self, styles: int) -> list[float]:
        """Return one weight for each of `styles`, adding up to 1."""
        return _normalised_weights(self.weights, styles)


# Options whose effect a style vector has in its numbers: it takes only these values, which change nothing.
BAKED_OPTIONS: dict[str, Any] = {"match_colours": "none", "style_scale": 1.0}


class StylizeOptions(_PasticheOptions):
    """What a user may ask of one pastiche, besides its pictures."""

    strength: Strength = Field(
        1.0, description=f"0 is the photo itself, 1 the full style; up to {MAX_STRENGTH:g} exaggerates it."
    )
    network: NetworkChoice = Field(
        "auto",
        description="'auto': styles that have a network of their own are painted by it; 'shared': all by the one that "
        "serves any painting.",
    )
    steady: Annotated[bool, BeforeValidator(_parse_yes_no)] = Field(
        False,
        description="The same strength shows as much with every painting; else some paintings show more than others.",
    )
    style_scale: StyleScale = Field(1.0, description="Brush size: how much larger the style's strokes are, 0.25 to 4.")
    size: Annotated[Side | None, BeforeValidator(_parse_own)] = Field(
        None,
        description=f"Long side of the result in pixels, {MIN_SIDE} to {MAX_SIDE}; 'own' or left out: "
        f"the photo's own, at most {DEFAULT_SIDE}.",
    )
    print: Annotated[str | None, BeforeValidator(_parse_print)] = Field(
        None,
        description="Instead of a size: a print that the result is to fit on, such as 60x40cm, 24x16in or 600x400mm.",
    )
    dpi: Annotated[PrintDpi | None, BeforeValidator(_parse_own)] = Field(
        None, description=f"Pixels an inch, 30 to 2400; 'own' or left out: the photo's, and {DEFAULT_DPI} for a print."
    )
    region_styles: Annotated[
        list[Annotated[Whole, Field(ge=0, le=MAX_STYLES)]] | None,
        BeforeValidator(_split_list),
        Field(max_length=MAX_MASKS),
    ] = Field(
        None,
        description="For each mask the number of its style, from 1; 0 is the blend of all. Left out: in turn where "
        "there are as many, else the blend.",
    )
    region_strengths: Annotated[list[Strength] | None, BeforeValidator(_split_list), Field(max_length=MAX_MASKS)] = (
        Field(None, description=f"For each mask a strength of its own, 0 to {MAX_STRENGTH:g}.")
    )
    tiles: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Large pictures are painted piece by piece, in little memory and without a seam. 'auto': where it "
        "pays.",
    )

    @model_validator(mode="after")
    def _check_one_size(self) -> Self:
        if self.size is not None and self.print is not None:
            raise InvalidOption("Give 'size' or 'print', not both.", "print")
        return self

    def result_size(self, width: int, height: int, most: int = MAX_RESULT_PIXELS) -> tuple[int, int]:
        """Return the result's (width, height) for a photo's; raise ResultTooLarge for more than `most` pixels."""
        wide, high = scaled_size(width, height, self._scale(width, height))
        field = "print" if self.print else "size"
        if wide * high > most:
            millions = f"{wide * high / 1e6:.4g} million pixels, more than {most / 1e6:.4g}"
            raise ResultTooLarge(f"A result of {wide} x {high} would have {millions}: ask for a smaller one.", field)
        if self.print and max(wide, high) < MIN_SIDE:
            raise InvalidOption(f"A print of {self.print} would be less than {MIN_SIDE} pixels: ask for more.", field)
        return wide, high

    def _scale(self, width: int, height: int) -> float:
        longest = max(width, height)
        if self.print is None:
            return (self.size or min(longest, DEFAULT_SIDE)) / longest
        one, other = self.print_inches()
        dpi = self.dpi or DEFAULT_DPI
        return min(dpi * max(one, other) / longest, dpi * min(one, other) / min(width, height))

    def print_inches(self) -> tuple[float, float]:
        """Return the sides of the print in inches, in the order in which they were given."""
        sides = _PRINT_PATTERN.fullmatch(self.print or "")
        if not sides:
            raise InvalidOption("No size of a print was given.", "print")
        return float(sides[1]) / UNITS_PER_INCH[sides[3]], float(sides[2]) / UNITS_PER_INCH[sides[3]]

    def option_needing_painting(self) -> str | None:
        """Return the name of an option that a style vector cannot serve, only the painting itself; None for none."""
        return next((name for name, value in BAKED_OPTIONS.items() if getattr(self, name) != value), None)

    def resolve_regions(self, masks: int, styles: int) -> list[tuple[int, float]]:
        """Return for each mask the number of its style, from 1, or 0 for the blend of all, and its strength."""
        check_mask_count(masks)
        for name, values in ("region_styles", self.region_styles), ("region_strengths", self.region_strengths):
            if values is not None and len(values) != masks:
                sentence = f"There {is_or_are(masks, 'mask')} but {len(values)} '{name}': give one for each."
                raise InvalidOption(sentence, name)
        in_turn = list(range(1, styles + 1)) if 1 < masks == styles else [0] * masks
        numbers = in_turn if self.region_styles is None else self.region_styles
        for number in numbers:
            if number > styles:
                sentence = f"There is no style {number} for a mask: there {is_or_are(styles, 'style')}."
                raise InvalidOption(sentence, "region_styles")
        strengths = [self.strength] * masks if self.region_strengths is None else self.region_strengths
        return list(zip(numbers, strengths, strict=True))


def _stylize_field(name: str) -> Any:
    """Return the field of StylizeOptions of that name, for another class to have."""
    return StylizeOptions.model_fields[name]


class SheetOptions(_ValidatedOptions):
    """What a user may ask of a contact sheet: one small pastiche for each style, strength and brush size."""

    strengths: Annotated[list[Strength], BeforeValidator(_split_list), Field(min_length=1, max_length=8)] = Field(
        [0.4, 0.7, 1.0], description=f"A column for each, 0 to {MAX_STRENGTH:g}."
    )
    style_scales: Annotated[list[StyleScale], BeforeValidator(_split_list), Field(min_length=1, max_length=8)] = Field(
        [1.0], description="Brush sizes, a row for each of every style, 0.25 to 4."
    )
    size: Annotated[Whole, Field(ge=64, le=512)] = Field(
        224, description="Long side of each small picture in pixels, 64 to 512."
    )
    steady: Annotated[bool, BeforeValidator(_parse_yes_no)] = _stylize_field("steady")
    network: NetworkChoice = _stylize_field("network")
    keep_colours: UnitInterval = _stylize_field("keep_colours")
    keep_light: UnitInterval = _stylize_field("keep_light")
    match_colours: Literal["none", "histogram", "covariance"] = _stylize_field("match_colours")
    format: Format = _stylize_field("format")
    quality: Whole = _stylize_field("quality")

    def option_needing_painting(self) -> str | None:
        """Return the name of an option that a style vector cannot serve, as for a single picture."""
        if self.match_colours != BAKED_OPTIONS["match_colours"]:
            return "match_colours"
        return "style_scales" if any(scale != BAKED_OPTIONS["style_scale"] for scale in self.style_scales) else None

    def count_cells(self, styles: int) -> int:
        """Count the pictures on the sheet; raise InvalidOption where there would be too many."""
        count = len(self.strengths) * len(self.style_scales) * styles
        check_style_count(styles)
        if count > MAX_SHEET_CELLS:
            sentence = (
                f"A sheet has at most {MAX_SHEET_CELLS} pictures, not {count}: ask for fewer strengths or brush sizes."
            )
            raise InvalidOption(sentence, "strengths")
        return count


class ClipOptions(_ValidatedOptions):
    """What a user may ask of an animated picture or a video."""

    strength: Strength = _stylize_field("strength")
    network: NetworkChoice = _stylize_field("network")
    steady: Annotated[bool, BeforeValidator(_parse_yes_no)] = _stylize_field("steady")
    style_scale: StyleScale = _stylize_field("style_scale")
    size: Annotated[Annotated[Whole, Field(ge=MIN_SIDE, le=MAX_CLIP_SIDE)] | None, BeforeValidator(_parse_own)] = Field(
        None,
        description=f"Long side of the result in pixels, {MIN_SIDE} to {MAX_CLIP_SIDE}; 'own' or left out: "
        f"the clip's own, at most {DEFAULT_CLIP_SIDE}.",
    )
    smooth: UnitInterval = Field(
        0.8, description="How firmly what stands still is held still. 0 paints every frame as if it were the only one."
    )
    keep_colours: UnitInterval = _stylize_field("keep_colours")
    keep_light: UnitInterval = _stylize_field("keep_light")
    match_colours: Literal["none", "histogram", "covariance"] = _stylize_field("match_colours")
    weights: BlendWeights = None
    quality: Whole = Field(92, ge=1, le=100, description="Of WebP and video, 1 to 100; a GIF has 256 colours.")

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) of the result for those of a clip."""
        longest = max(width, height)
        return scaled_size(width, height, (self.size or min(longest, DEFAULT_CLIP_SIDE)) / longest)

    def blend_weights(self, styles: int) -> list[float]:
        """Return one weight for each of `styles`, adding up to 1."""
        return _normalised_weights(self.weights, styles)

    def frame_options(self) -> StylizeOptions:
        """Return the options of a single frame, which has its size already."""
        return StylizeOptions(**self.model_dump(exclude={"size", "smooth"}, exclude_none=True))


class RefineOptions(_PasticheOptions):
    """What a user may ask of an optimisation, besides its pictures. What is left out, the preset decides."""

    preset: Preset = Field("balanced", description="Where all other options start from.")
    encoder: EncoderName = Field(
        "auto", description="The network that judges; 'auto': VGG19 where its weights are, else the one that ships."
    )
    content_layers: LayerWeightsOption = Field(
        None, description="Where content is compared: name:weight,… from 0 to 1. Left out: where the encoder does well."
    )
    style_layers: LayerWeightsOption = Field(None, description="Where style is compared, likewise.")
    content_weight: Number = Field(0.016, ge=0, le=1e9, description="How much the photo's content counts.")
    style_weight: Number = Field(1.0, ge=0, le=1e9, description="How much the style counts.")
    variation_weight: Number = Field(0.05, ge=0, le=1e9, description="Total variation: how much smoothness counts.")
    loss: LossKind = Field(
        "relative",
        description="'relative': as shares of the target's own size, so that all layers count alike; 'absolute': mean "
        "squares, as in the paper.",
    )
    optimizer: OptimizerName = Field("adam", description="'lbfgs' needs no rate and pays for it in time.")
    rate: Number = Field(0.02, gt=0, le=1, description="Adam's step, as a share of the range of a colour.")
    steps: Whole = Field(120, ge=1, le=10_000, description="In all, 1 to 10000.")
    seconds: Annotated[Seconds | None, BeforeValidator(_parse_unlimited)] = Field(
        None, description="Time budget, up to a day; 'unlimited' or left out: until the steps are done."
    )
    size: Annotated[Whole, Field(ge=MIN_REFINE_SIDE, le=MAX_REFINE_SIDE)] = Field(
        512, description=f"Long side of the result in pixels, {MIN_REFINE_SIDE} to {MAX_REFINE_SIDE}."
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

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, values: Any) -> Any:
        """Fill in the preset's values; its layers belong to its encoder and are left out with another one."""
        name = values.get("preset", "balanced") if isinstance(values, dict) else None
        if not (isinstance(name, str) and name in PRESETS):
            return values
        preset = PRESETS[name]
        if values.get("encoder") not in (None, preset.get("encoder")):
            preset = {key: value for key, value in preset.items() if not key.endswith("_layers")}
        return preset | values

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if not (self.content_weight or self.style_weight):
            raise InvalidOption("'style_weight' must be more than 0 where 'content_weight' is 0.", "style_weight")
        style = self.style_weight and _has_positive_weight(self.style_layers)
        content = self.content_weight and _has_positive_weight(self.content_layers)
        if not (style or content):
            field = "style_layers" if self.style_weight else "content_layers"
            raise InvalidOption(f"'{field}' must have a weight that is more than 0.", field)
        return self


class TrainOptions(_ValidatedOptions):
    """What a user may ask of the training of a style's own network, besides its pictures."""

    preset: TrainPreset = Field("default", description="Where all other options start from; 'johnson' needs VGG16.")
    judge: Literal["auto", "vgg19-slim", "vgg19", "vgg16"] = Field(
        "auto",
        description="The encoder that judges; 'auto': VGG19 where its weights are, else the one that ships.",
    )
    seconds: Annotated[Seconds | None, BeforeValidator(_parse_unlimited)] = Field(
        480.0, description="Time budget, up to a day; 'unlimited': until the steps are done."
    )
    steps: Whole = Field(
        1000, ge=1, le=100_000, description="In all, 1 to 100000; whichever of steps and seconds ends first counts."
    )
    size: Whole = Field(
        512,
        ge=128,
        le=1024,
        description="Long side at which the painting is looked at, 128 to 1024 pixels: larger makes broader strokes.",
    )
    loss: LossKind = Field(
        "relative",
        description="'relative': errors as shares, the style's of what there is before the training; 'absolute': mean "
        "squares, as Johnson et al. have them, which needs VGG16 or VGG19.",
    )
    style_weight: Number = Field(3.0, gt=0, le=1e12, description="How much the painting counts.")
    content_weight: Number = Field(
        1.0, ge=0, le=1e12, description="How much of the photo is to stay; 0.5 is wild, 2 is calm."
    )
    noise_weight: Number = Field(
        1.0, ge=0, le=100, description="How much grain in the photo must not change the strokes, 0 to 100."
    )
    flat_weight: Number = Field(
        3.0, ge=0, le=100, description="How calm it is to be where the photo is flat, as in skies, 0 to 100."
    )
    variation_weight: Number = Field(
        0.0, ge=0, le=1e12, description="Total variation: how smooth it is to be everywhere."
    )
    rate: Number = Field(1e-3, gt=0, le=0.1, description="Adam's first step; it falls as a cosine.")
    batch: Whole = Field(1, ge=1, le=16, description="Crops in a step, 1 to 16.")
    average: Number = Field(
        0.99, ge=0, le=0.9999, description="Share of the former steps in the network that is kept; 0: the last step."
    )
    patience: Whole = Field(
        0, ge=0, le=100_000, description="Ends it when the mean loss fell no more for so many steps; 0: never."
    )
    seed: Whole = Field(0, ge=0, le=999_999_999, description="Of the crops.")

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, values: Any) -> Any:
        name = values.get("preset", "default") if isinstance(values, dict) else None
        return TRAIN_PRESETS[name] | values if isinstance(name, str) and name in TRAIN_PRESETS else values

    @model_validator(mode="after")
    def _check_judge(self) -> Self:
        if self.loss == "absolute" and self.judge not in ("vgg16", "vgg19"):
            raise InvalidOption("'judge' must be 'vgg16' or 'vgg19' where 'loss' is 'absolute'.", "judge")
        return self


Options: TypeAlias = StylizeOptions | RefineOptions
Method = Literal["magenta", "gatys"]  # as recipes and jobs name it
OPTIONS_BY_METHOD: dict[Method, type[StylizeOptions] | type[RefineOptions]] = {
    "magenta": StylizeOptions,
    "gatys": RefineOptions,
}


def check_style_count(count: int) -> None:
    if not 1 <= count <= MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} styles, not {count}.", "style")


def check_mask_count(count: int) -> None:
    if count > MAX_MASKS:
        raise InvalidOption(f"Give at most {MAX_MASKS} masks, not {count}.", "mask")


def scaled_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Return (width, height) times `scale` in whole pixels, at least one each."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def _has_positive_weight(layers: Mapping[str, float] | None) -> bool:
    return layers is None or any(layers.values())


def _normalised_weights(weights: list[float] | None, styles: int) -> list[float]:
    check_style_count(styles)
    weights = weights if weights is not None else [1.0] * styles
    if len(weights) != styles:
        sentence = f"There {is_or_are(styles, 'style')} but {pluralise(len(weights), 'weight')}: give one for each."
        raise InvalidOption(sentence, "weights")
    total = sum(weights)
    if not total:
        raise InvalidOption("At least one of the weights must be more than 0.", "weights")
    return [weight / total for weight in weights]


def pluralise(count: int, noun: str) -> str:
    """Return the count with its noun: 1 style, 2 styles."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Return the words as a sentence lists them: PNG, JPEG and WebP. last: the word before the last of them."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def is_or_are(count: int, noun: str) -> str:
    return f"{'is' if count == 1 else 'are'} {pluralise(count, noun)}"


_SIMILARITY_CUTOFF = 0.7  # how alike two names are of which one may be misspelled; by less, 'seed' would be 'steady'
_REQUIREMENTS = {  # pydantic's error types in plain words
    "bool_parsing": "yes or no",
    "bool_type": "yes or no",
    "dict_type": "layers' names with their weights",
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
    "print": "the two sides of a print with their unit, such as 60x40cm, 24x16in or 600x400mm",
    "too_long": "at most {max_length} numbers",
    "too_short": "at least {min_length} number",
}


def _describe_error(error: Any, options: Iterable[str]) -> str:
    if error["type"] == "extra_forbidden":
        return _describe_unknown_option(error["loc"][0], options)
    reason = _REQUIREMENTS.get(error["type"], error["msg"])
    limits = {name: _format_number(value) for name, value in error.get("ctx", {}).items()}
    return f"{_quote_field(*error['loc'])} must be {reason.format(**limits)}."


def _describe_unknown_option(name: str, options: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:40], options, 1, _SIMILARITY_CUTOFF)
    hint = f"did you mean '{near[0]}'?" if near else f"the options are {', '.join(options)}."
    return f"There is no option '{name}': {hint}"


def _quote_field(field: str | int | None = None, *parts: str | int) -> str:
    """Quote a field, with the layer whose value is at fault: 'style_layers': block1_conv1."""
    keys = [part[:40] for part in parts if isinstance(part, str)]
    return f"'{field}'{': ' if keys else ''}{' '.join(keys)}"


def _format_number(value: Any) -> Any:
    """Format a number without an exponent."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, int | float) else value
