"""Neural style transfer. Importing it does not load TensorFlow: the first picture does."""

from model.errors import StyleTransferError
from model.imaging.pixel_ops import Picture
from model.options import RefineOptions, StylizeOptions
from model.pipelines.refine import refine
from model.pipelines.stylization import Pastiche, style_vector, stylize

__all__ = [
    "Pastiche",
    "Picture",
    "RefineOptions",
    "StyleTransferError",
    "StylizeOptions",
    "refine",
    "style_vector",
    "stylize",
]
