"""A network of one style after Johnson in Keras: a photo to a pastiche, with the style in its kernels.

Johnson, Alahi, Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016
(https://arxiv.org/abs/1603.08155), with the instance normalisation of Ulyanov et al. 2017
(https://arxiv.org/abs/1701.02096), as in PyTorch's fast neural style example.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, ops

from model.networks.architecture import EPSILON
from model.networks.johnson_architecture import JOHNSON, JohnsonArchitecture
from model.networks.layers import layer_name, reflect_conv


def build_johnson(architecture: JohnsonArchitecture = JOHNSON) -> keras.Model:
    """Build the network of pictures (N, H, W, 3) RGB in 0..1, with sides of at least 5, to pastiches (N, H', W', 3).

    Pastiches are in 0..1, with H' and W' rounded up to multiples of 4; the surplus lies at the bottom and the right.
    """
    first, second, third = architecture.channels
    content = keras.Input((None, None, 3), name="content")
    x = content * 255.0  # the published kernels are made for bytes
    x = ops.relu(_conv_norm(x, "conv1", "in1", first, 9))
    x = ops.relu(_conv_norm(x, "conv2", "in2", second, 3, 2))
    x = ops.relu(_conv_norm(x, "conv3", "in3", third, 3, 2))
    for block in range(1, architecture.residual_blocks + 1):
        y = ops.relu(_conv_norm(x, f"res{block}/conv1", f"res{block}/in1", third, 3))
        x = x + _conv_norm(y, f"res{block}/conv2", f"res{block}/in2", third, 3)
    x = ops.relu(_conv_norm(_enlarge(x, "deconv1"), "deconv1", "in4", second, 3))
    x = ops.relu(_conv_norm(_enlarge(x, "deconv2"), "deconv2", "in5", first, 3))
    x = reflect_conv(x, "deconv3/conv2d", 3, 9, bias=True)
    return keras.Model(content, ops.clip(x / 255.0, 0.0, 1.0), name="johnson")


def _conv_norm(x: KerasTensor, conv_path: str, norm_path: str, filters: int, size: int, stride: int = 1) -> KerasTensor:
    """Convolve, then normalise every channel of every picture by itself."""
    x = reflect_conv(x, f"{conv_path}/conv2d", filters, size, stride, bias=True)
    return keras.layers.GroupNormalization(groups=-1, epsilon=EPSILON, name=layer_name(norm_path))(x)


def _enlarge(x: KerasTensor, path: str) -> KerasTensor:
    return keras.layers.UpSampling2D(2, interpolation="nearest", name=layer_name(f"{path}/upsample"))(x)
