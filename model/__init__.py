"""Neural style transfer. Importing this loads no TensorFlow: the first picture does."""

from model.errors import StyleTransferError
from model.images import Picture
from model.options import RefineOptions, StylizeOptions
from model.refine import refine
from model.transfer import Pastiche, style_vector, stylize

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
