"""The encoders by name: their layers, and where their weights are.

The networks themselves take seconds to import; options can be checked against this without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from model import settings
from model.errors import InvalidOption
from model.weights.registry import SHIPPED_MAGENTA

LayerWeights: TypeAlias = Mapping[str, float]

SLIM = "vgg19-slim"
SHIPPED_SLIM = SHIPPED_MAGENTA.with_name(f"{SLIM}.npz")


@dataclass(frozen=True)
class Encoder:
    """An encoder's layers in order, from edges to things, and the default layers of the losses.

    `bytes_per_pixel`: memory that a refinement takes with the default layers, 13 % above the most that was measured at
    512 and 640 pixels. `smooth`: whether its features need smoothing. `smallest`: pixels of the shorter side that its
    last layer needs. `application` and `file`: its names in keras.applications and in Keras's downloads.
    """

    name: str
    layers: tuple[str, ...]
    content: LayerWeights
    style: LayerWeights
    bytes_per_pixel: int
    smooth: bool = False
    smallest: int = 32
    application: str = ""
    file: str = ""

    def check(self, layers: Sequence[str], field: str) -> None:
        """Raise InvalidOption for a layer that is not one of these."""
        for layer in layers:
            if layer not in self.layers:
                right = ", ".join(self.layers)
                raise InvalidOption(f"{field}: {self.name} has no layer '{layer[:40]}'; its layers are {right}.", field)

    def layers_or_defaults(
        self, content: LayerWeights | None, style: LayerWeights | None
    ) -> tuple[LayerWeights, LayerWeights]:
        """Return content and style layers with their weights, the encoder's defaults in place of None."""
        return self.content if content is None else content, self.style if style is None else style


def get(name: str) -> Encoder:
    if name not in ENCODERS:
        raise InvalidOption(f"encoder must be one of {', '.join(ENCODERS)}, not '{name}'.", "encoder")
    return ENCODERS[name]


def best_available() -> str:
    """Return VGG19 where its weights are on this machine, else the encoder that ships."""
    return "vgg19" if find("vgg19") else SLIM


def find(name: str) -> Path | None:
    """Return the file of this encoder's weights on this machine, without downloading."""
    return next((path for path in _candidate_paths(get(name)) if path.is_file()), None)


def _candidate_paths(encoder: Encoder) -> Iterator[Path]:
    names = [encoder.file, f"{encoder.name}_notop.weights.h5"] if encoder.file else [SHIPPED_SLIM.name]
    folders = [settings.model_dir(), settings.cache_dir()]
    yield from (folder / name for folder in folders if folder for name in names)
    yield Path.home() / ".keras" / "models" / encoder.file if encoder.file else SHIPPED_SLIM


SLIM_BLOCKS = (2, 2, 4, 4, 1)  # convolutions of each block, as in VGG19 up to conv5_1
SLIM_WIDTHS = (16, 32, 80, 224, 384)
SLIM_TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block4_conv2", "block5_conv1")


def _vgg_layers(convolutions: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"block{b}_conv{c}" for b, count in enumerate(convolutions, 1) for c in range(1, count + 1))


def _block_layers(counts: Sequence[int], ending: str) -> list[list[str]]:
    """Return the layers of each stage's blocks; stages are named from conv2 on."""
    return [[f"conv{s}_block{b}_{ending}" for b in range(1, n + 1)] for s, n in enumerate(counts, 2)]


def _densenet_layers() -> tuple[str, ...]:
    stages = zip(
        _block_layers((6, 12, 24, 16), "concat"), ("pool2_relu", "pool3_relu", "pool4_relu", "relu"), strict=True
    )
    return ("conv1_relu", *(layer for blocks, end in stages for layer in (*blocks, end)))


def _xception_layers() -> tuple[str, ...]:
    middle = [f"block{b}_sepconv{c}_act" for b in range(5, 13) for c in (1, 2, 3)]
    first = ["block2_sepconv2_act", *(f"block{b}_sepconv{c}_act" for b in (3, 4) for c in (1, 2))]
    last = [f"block{b}_sepconv{c}_act" for b in (13, 14) for c in (1, 2)]
    return ("block1_conv1_act", "block1_conv2_act", *first, *middle, *last)


def _equal_weights(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


INCEPTION_STEM = tuple(f"stem{i}" for i in range(1, 6))
_VGG_STYLE_WEIGHTS = _equal_weights(*(f"block{block}_conv1" for block in range(1, 6)))
_RESNET50_BLOCKS = (3, 4, 6, 3)
_KERAS_FILE_SUFFIX = "weights_tf_dim_ordering_tf_kernels_notop.h5"

ENCODERS: dict[str, Encoder] = {
    encoder.name: encoder
    for encoder in (
        # Its block5_conv1 is the least like VGG19's.
        Encoder(
            SLIM,
            SLIM_TAPS,
            _equal_weights("block4_conv2"),
            _VGG_STYLE_WEIGHTS | {"block5_conv1": 0.3},
            bytes_per_pixel=800,
        ),
        Encoder(
            "vgg19",
            _vgg_layers((2, 2, 4, 4, 4)),
            _equal_weights("block4_conv2"),
            _VGG_STYLE_WEIGHTS,
            bytes_per_pixel=2600,
            application="VGG19",
            file=f"vgg19_{_KERAS_FILE_SUFFIX}",
        ),
        Encoder(
            "vgg16",
            _vgg_layers((2, 2, 3, 3, 3)),
            _equal_weights("block4_conv2"),
            _VGG_STYLE_WEIGHTS,
            bytes_per_pixel=2600,
            application="VGG16",
            file=f"vgg16_{_KERAS_FILE_SUFFIX}",
        ),
        Encoder(
            "inception_v3",
            (*INCEPTION_STEM, *(f"mixed{i}" for i in range(11))),
            _equal_weights("mixed3"),
            _equal_weights("stem1", "stem3", "stem5", "mixed2", "mixed5"),
            bytes_per_pixel=1000,
            smallest=75,
            application="InceptionV3",
            file=f"inception_v3_{_KERAS_FILE_SUFFIX}",
        ),
        Encoder(
            "xception",
            _xception_layers(),
            _equal_weights("block4_sepconv2_act"),
            _equal_weights(
                "block1_conv2_act",
                "block2_sepconv2_act",
                "block3_sepconv2_act",
                "block4_sepconv2_act",
                "block5_sepconv1_act",
            ),
            bytes_per_pixel=2000,
            smooth=True,
            smallest=71,
            application="Xception",
            file=f"xception_{_KERAS_FILE_SUFFIX}",
        ),
        Encoder(
            "densenet121",
            _densenet_layers(),
            _equal_weights("pool3_relu"),
            _equal_weights("conv1_relu", "conv2_block3_concat", "pool2_relu", "pool3_relu", "pool4_relu"),
            bytes_per_pixel=2200,
            smooth=True,
            application="DenseNet121",
            file=f"densenet121_{_KERAS_FILE_SUFFIX}",
        ),
        Encoder(
            "resnet50",
            ("conv1_relu", *chain(*_block_layers(_RESNET50_BLOCKS, "out"))),
            _equal_weights("conv4_block6_out"),
            _equal_weights(
                "conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"
            ),
            bytes_per_pixel=1500,
            smooth=True,
            application="ResNet50",
            file=f"resnet50_{_KERAS_FILE_SUFFIX}",
        ),
        Encoder(
            "resnet50v2",
            ("conv1_conv", *chain(*_block_layers(_RESNET50_BLOCKS, "preact_relu")), "post_relu"),
            _equal_weights("conv4_block6_preact_relu"),
            _equal_weights(
                "conv1_conv",
                "conv2_block3_preact_relu",
                "conv3_block4_preact_relu",
                "conv4_block6_preact_relu",
                "post_relu",
            ),
            bytes_per_pixel=1550,
            smooth=True,
            application="ResNet50V2",
            file=f"resnet50v2_{_KERAS_FILE_SUFFIX}",
        ),
    )
}
