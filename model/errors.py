"""Every error the library raises on purpose.

    StyleTransferError
    ├── InvalidOption       a parameter outside its limits
    │   └── ResultTooLarge      a result with more pixels than there may be
    ├── ImageError
    │   ├── UnsupportedImage    not a picture, or not a kind we read
    │   ├── BrokenImage         a picture that cannot be decoded
    │   └── ImageTooLarge       more bytes or pixels than the limit
    ├── NoRecipe            a picture that does not carry, whole, how it was made
    ├── WeightsError
    │   ├── WeightsMissing      not on this machine, and not to be had
    │   └── WeightsBroken       present, but not what they should be
    └── DeviceUnavailable   TensorFlow cannot compute here as the settings ask

The text of each is a sentence fit for the public: what is wrong, and what to do about it.
"""

from __future__ import annotations


class StyleTransferError(Exception):
    """Base of all; `field` names the parameter at fault where there is one."""

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
