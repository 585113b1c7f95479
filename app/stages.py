"""An encoder's layers as controls: in the stages that their names tell of, each with its weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

KINDS = ("style", "content")
_FEW = 3  # layers that are shown at once although nobody uses them
_STAGE = re.compile(r"(?:block|conv|pool)\d+|[a-z]+")


@dataclass(frozen=True)
class Layer:
    """`weights`: of each kind, in KINDS' order, the name of its field and its text."""

    name: str
    short: str  # its name within its stage
    weights: tuple[tuple[str, str, str], ...]

    @property
    def used(self) -> bool:
        return any(text.strip(" 0.,") for _, _, text in self.weights)


@dataclass(frozen=True)
class Stage:
    name: str
    layers: Sequence[Layer]

    @property
    def shown(self) -> list[Layer]:
        return [layer for layer in self.layers if layer not in self.folded]

    @property
    def folded(self) -> list[Layer]:
        """Those that are not used, where they are many or all of the stage."""
        idle = [layer for layer in self.layers if not layer.used]
        return idle if len(idle) > _FEW or len(idle) == len(self.layers) else []


def field_of(kind: str, layer: str) -> str:
    return f"{kind}-layer-{layer}"


def sent_layers(fields: Mapping[str, str], kind: str) -> dict[str, str] | None:
    """Layer -> the text of its weight; None where the form had no such fields."""
    prefix = field_of(kind, "")
    return {name.removeprefix(prefix): text for name, text in fields.items() if name.startswith(prefix)} or None


def stages(layers: Iterable[str], weights: Mapping[str, Mapping[str, str]]) -> list[Stage]:
    """`weights`: of each kind, a layer's name -> the text of its weight."""
    grouped = ((name, list(found)) for name, found in groupby(layers, _stage))
    return [Stage(name, [_layer(one, name, weights) for one in found]) for name, found in grouped]


def _stage(layer: str) -> str:
    found = _STAGE.match(layer)
    return found[0] if found else layer


def _layer(name: str, stage: str, weights: Mapping[str, Mapping[str, str]]) -> Layer:
    short = name.removeprefix(stage).removeprefix("_") or name
    return Layer(name, short, tuple((kind, field_of(kind, name), weights[kind].get(name, "")) for kind in KINDS))
