"""The errors that the library raises on purpose.

    StyleTransferError
    ├── InvalidOption       a parameter outside its limits
    │   └── ResultTooLarge      a result with more pixels than there may be
    ├── ImageError
    │   ├── UnsupportedImage    not a picture, or of a kind that is not read
    │   ├── BrokenImage         a picture that cannot be decoded
    │   └── ImageTooLarge       more bytes or pixels than the limit
    ├── NoRecipe            a picture without a recipe, or with a damaged one
    ├── WeightsError
    │   ├── WeightsMissing      not on this machine, and not available
    │   └── WeightsBroken       present, but damaged or of another network
    └── DeviceUnavailable   a device or precision that this machine does not have

The text of each is a sentence fit for the public: what is wrong, and what to do about it.
"""

from __future__ import annotations


class StyleTransferError(Exception):
    """The base of all; `field` names the parameter at fault, if any."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidOption(StyleTransferError):
    pass


class ResultTooLarge(InvalidOption):
    pass


class ImageError(StyleTransferError):
    pass


class UnsupportedImage(ImageError):
    pass


class BrokenImage(ImageError):
    pass


class ImageTooLarge(ImageError):
    pass


class NoRecipe(StyleTransferError):
    pass


class WeightsError(StyleTransferError):
    pass


class WeightsMissing(WeightsError):
    pass


class WeightsBroken(WeightsError):
    pass


class DeviceUnavailable(StyleTransferError):
    pass
