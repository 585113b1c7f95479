from __future__ import annotations

import API
import model


def test_the_public_names():
    assert API.__all__ == ["refine", "style_vector", "train_style", "transfer_clip", "transfer_style"]
    assert model.__all__ == [
        "Pastiche",
        "Picture",
        "RefineOptions",
        "StyleTransferError",
        "StylizeOptions",
        "refine",
        "style_vector",
        "stylize",
    ]


def test_each_of_them_is_there():
    assert all(hasattr(module, name) for module in (API, model) for name in module.__all__)
