"""Orders: what they keep, their digests and their styles."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from app.jobs import order as order_module
from app.jobs.order import Order, OrderStyle, TrainingOrder
from model.options import PRESETS, RefineOptions, StylizeOptions, TrainOptions

PHOTO, STYLE, START, MASK = "a" * 64, "b" * 64, "c" * 64, "d" * 64
BEFORE = {  # as it was written when there was one method
    "content": PHOTO,
    "content_name": "photo",
    "styles": [{"name": "swirl", "id": None, "picture": STYLE, "shipped": None}],
    "options": {"strength": 0.5, "format": "png", "quality": 92},
}


def build_order(**more: object) -> Order:
    return Order(content=PHOTO, content_name="photo", styles=[OrderStyle(name="swirl", picture=STYLE)], **more)


def stored(order: Order) -> Order:
    return Order.model_validate(json.loads(json.dumps(order.model_dump(mode="json"))))


def test_an_order_of_before_there_were_methods_still_reads():
    order = Order.model_validate(BEFORE)
    assert (order.method, order.options) == ("magenta", StylizeOptions(strength=0.5))
    assert order.digest == "f6eb40ad28efe5cd99697ac84be0a3bb72fd6fc6f437371fdb589a3a3df8d732"


REFINED_BEFORE = {
    **BEFORE,
    "method": "gatys",
    "start": START,
    "options": {"preset": "fast", "encoder": "vgg16", "steps": 7, "rate": 0.00005, "strength": 0.5, "format": "png"},
}


def test_a_refinement_of_before_there_were_masks_is_the_same_order_still():
    order = Order.model_validate(REFINED_BEFORE)
    assert order.masks == []
    assert order.digest == "9ca750c16929598e71e8b5e35172cfe355592b69406625b3fdf1aaa537b1adb2"


@pytest.mark.parametrize(
    "options", [{"keep_colours": 1.0}, {"print": "6x4in"}, {"steady": True}, {"region_styles": [1]}, {"tiles": "never"}]
)
def test_every_newer_wish_makes_another_order(options):
    order = build_order(options=StylizeOptions(**options))
    assert stored(order) == order
    assert order.digest != build_order(options=StylizeOptions()).digest


OPTIONS_OF_DIGEST = {  # those that there were when digests were first stored
    StylizeOptions: {"strength", "size", "weights", "format", "quality"},
    RefineOptions: {
        *("preset", "encoder", "content_layers", "style_layers", "content_weight", "style_weight", "variation_weight"),
        *("loss", "optimizer", "rate", "steps", "seconds", "size", "start", "seed", "style_scale", "scales", "average"),
        *("patience", "strength", "weights", "format", "quality"),
    },
}


@pytest.mark.parametrize("options", OPTIONS_OF_DIGEST)
def test_a_new_option_leaves_the_digests_of_stored_orders(options):
    newer = order_module._OPTIONS_NEWER_THAN_DIGEST[options]
    missing = set(options.model_fields) - OPTIONS_OF_DIGEST[options] - set(newer)
    assert not missing, f"Add {sorted(missing)} to _OPTIONS_NEWER_THAN_DIGEST in app/jobs/order.py."


def test_what_is_to_be_told_makes_no_other_order():
    order = build_order(options=StylizeOptions(), notes=["Late."])
    assert stored(order) == order
    assert order.digest == build_order(options=StylizeOptions()).digest


def test_masks_make_another_order_and_must_be_there():
    masked = build_order(options=StylizeOptions(), masks=["alpha", MASK])
    assert stored(masked) == masked
    assert set(masked.keys()) == {PHOTO, STYLE, MASK}
    others = [build_order(options=StylizeOptions(), masks=masks) for masks in ([], [MASK], [MASK, "alpha"])]
    assert len({order.digest for order in (masked, *others)}) == 4


def test_whose_a_style_is_goes_with_the_order_and_makes_no_other():
    own = OrderStyle(name="swirl", id="1", picture=STYLE, rights=("Ann", "CC0"))
    order = Order(content=PHOTO, content_name="photo", styles=[own], options=StylizeOptions())
    assert stored(order).attributions == [("swirl", "Ann", "CC0")]
    plain = order.model_copy(update={"styles": [own.model_copy(update={"rights": None})]})
    assert plain.attributions == [("", "", "")]
    assert plain.digest == order.digest
    assert OrderStyle(name="Mosaic", id="mosaic", shipped="mosaic").attribution.licence == "CC0-1.0"


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("options", [{}, {"encoder": "vgg16", "steps": 7}, {"style_layers": {"block1_conv1": 0.5}}])
def test_a_refinement_reads_as_it_was_written(preset, options):
    order = build_order(method="gatys", options=RefineOptions(preset=preset, **options), start=START)
    assert stored(order) == order
    assert stored(order).digest == order.digest


def test_options_are_those_of_the_method():
    with pytest.raises(ValidationError):
        build_order(method="gatys", options=StylizeOptions())
    with pytest.raises(ValidationError):
        build_order(options={"steps": 7})
    with pytest.raises(ValidationError):
        build_order(method="fast", options={})


def test_a_start_is_among_the_pictures_that_must_be_there():
    order = build_order(method="gatys", options=RefineOptions(), start=START)
    assert set(order.keys()) == {PHOTO, STYLE, START}
    assert set(build_order(options=StylizeOptions()).keys()) == {PHOTO, STYLE}


def test_another_start_is_another_order():
    plain = build_order(method="gatys", options=RefineOptions())
    assert plain.digest != plain.model_copy(update={"start": START}).digest


def test_a_network_goes_with_the_order_and_makes_no_other():
    own = OrderStyle(name="swirl", id="1", picture=STYLE)
    taught = own.model_copy(update={"network": START})
    orders = [
        Order(content=PHOTO, content_name="photo", styles=[one], options=StylizeOptions()) for one in (own, taught)
    ]
    assert orders[0].digest == orders[1].digest
    assert set(stored(orders[1]).keys()) == {PHOTO, STYLE, START}


def test_a_training_is_another_for_another_style_or_another_wish():
    def training(style: str = "1", name: str = "Harbour", **options: object) -> TrainingOrder:
        return TrainingOrder(style=style, name=name, picture=STYLE, options=TrainOptions(**options))

    plain = training(seconds=60)
    assert TrainingOrder.model_validate(json.loads(plain.model_dump_json())) == plain
    assert set(plain.keys()) == {STYLE}
    assert training(name="Port", seconds=60).digest == plain.digest
    others = [training("2", seconds=60), training(seconds=61), training(seconds=60, content_weight=0.3)]
    assert len({order.digest for order in (plain, *others)}) == 4
