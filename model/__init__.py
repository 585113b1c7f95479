"""Neural style transfer. Importing this loads no TensorFlow: the first picture does."""

from model.errors import StyleTransferError
from model.images import Picture
from model.options import StylizeOptions
from model.transfer import Pastiche, style_vector, stylize

__all__ = ["Pastiche", "Picture", "StyleTransferError", "StylizeOptions", "style_vector", "stylize"]
