"""Every parameter of a pastiche: name, default, limits and help, once, for all doors."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from model.errors import InvalidOption

MAX_STYLES = 8
MIN_SIDE, DEFAULT_SIDE, MAX_SIDE = 32, 2048, 4096  # pixels, long side of the result


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


Number = Annotated[float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_number)]
Share = Annotated[Number, Field(ge=0, le=1000)]
Side = Annotated[Whole, Field(ge=MIN_SIDE, le=MAX_SIDE)]


class StylizeOptions(BaseModel):
    """What a user may ask of one pastiche, besides its pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    strength: Number = Field(
        1.0, ge=0, le=1, description="0 keeps the photo's own look, 1 is the full style; mixes style vectors."
    )
    size: Annotated[Side | None, BeforeValidator(_own)] = Field(
        None,
        description=f"Long side of the result in pixels, {MIN_SIDE} to {MAX_SIDE}; 'own' or left out: "
        f"the photo's own, at most {DEFAULT_SIDE}.",
    )
    weights: Annotated[list[Share] | None, BeforeValidator(_list)] = Field(
        None, max_length=MAX_STYLES, description="How much of each style in turn, 0 to 1000; only ratios count."
    )
    format: Literal["png", "jpeg", "webp"] = Field("png", description="Kind of file that comes back.")
    quality: Whole = Field(92, ge=1, le=100, description="Of JPEG and WebP, 1 to 100; PNG loses nothing.")

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Validated options; InvalidOption names the first field at fault and its limits."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else None
            raise InvalidOption(_sentence(field, first), field) from None

    def blend_weights(self, styles: int) -> list[float]:
        """One weight for each of `styles`, adding up to 1."""
        if not 1 <= styles <= MAX_STYLES:
            raise InvalidOption(f"Give between 1 and {MAX_STYLES} styles, not {styles}.", "style")
        weights = self.weights if self.weights is not None else [1.0] * styles
        if len(weights) != styles:
            raise InvalidOption(f"There are {styles} styles but {len(weights)} weights: give one for each.", "weights")
        total = sum(weights)
        if not total:
            raise InvalidOption("At least one of the weights must be more than 0.", "weights")
        return [weight / total for weight in weights]


_REASONS = {  # pydantic's error types in plain words
    "extra_forbidden": "left out: the options are {options}",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than_equal": "{ge:g} or more",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_type": "a whole number",
    "less_than_equal": "{le:g} or less",
    "list_type": "a list of numbers",
    "literal_error": "{expected}",
    "too_long": "at most {max_length} numbers",
}


def _sentence(field: str | None, error: Any) -> str:
    reason = _REASONS.get(error["type"], error["msg"])
    context = {"options": ", ".join(StylizeOptions.model_fields)} | error.get("ctx", {})
    return f"'{field}' must be {reason.format(**context)}."
