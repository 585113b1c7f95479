"""How a worker has an order painted: with its start, its checkpoint, and no longer than the server allows."""

from __future__ import annotations

import numpy as np
import pytest

from app.jobs.order import Order, OrderStyle
from app.jobs.rendering import StyleSource, choose_sources, render_checkpoint, render_order
from app.storage.blob_store import BlobStore
from app.storage.library import Library
from model.imaging import image_files
from model.imaging.pixel_ops import Picture
from model.options import RefineOptions, SheetOptions, StylizeOptions
from model.pipelines import recipe_builder, recipes, stylization
from model.pipelines.refine import encoder_sha256
from model.pipelines.stylization import SHARED_PAINTED, Pastiche
from model.progress import Checkpoint
from model.style_file import StyleFile
from tests.support.fake_painter import FakePainter
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256
from tests.support.style_networks import network_file

LIMIT = 900.0


@pytest.fixture
def library(tmp_path):
    library = Library(f"sqlite:///{tmp_path / 'library.sqlite3'}", BlobStore(str(tmp_path / "pictures")), keep_hours=1)
    yield library
    library.close()


@pytest.fixture
def refinement(library, photo_png, painting_png):
    content, style = (library.put_picture("ann", data) for data in (photo_png, painting_png))

    def order(start: bytes | None = None, **options) -> Order:
        return Order(
            content=content,
            content_name="photo",
            styles=[OrderStyle(name="swirl", picture=style)],
            method="gatys",
            options=RefineOptions(**options),
            start=library.put_picture("ann", start) if start else None,
        )

    return order


@pytest.fixture
def painter() -> FakePainter:
    return FakePainter(steps=2)


@pytest.fixture
def paint(painter, library):
    def paint(order: Order, resume: Checkpoint | None = None) -> Pastiche:
        return render_order(order, library, painter, lambda step: None, resume, LIMIT)

    return paint


def refine_arguments(painter: FakePainter) -> dict:
    (call,) = painter.calls_of("refine")
    return call.arguments


def test_a_pastiche_is_told_of_no_limit(paint, refinement):
    order = refinement().model_copy(update={"method": "magenta", "options": StylizeOptions()})
    assert paint(order).recipe["shares"] == [1.0]


def test_a_refinement_has_its_start_and_its_checkpoint(painter, paint, refinement, photo_png):
    painter.seconds, resume = 5.0, Checkpoint(photo_png, 40, 30.0)
    pastiche = paint(refinement(start=photo_png), resume)
    given = refine_arguments(painter)
    assert (given["start"], given["resume"]) == (photo_png, resume)
    assert pastiche.seconds == 35.0


@pytest.mark.parametrize("asked", [None, 5000.0])
def test_the_server_says_where_its_limit_cut_something_off(painter, paint, refinement, asked):
    painter.seconds, painter.ended, painter.notes = 1000.0, "time", ["Calm."]
    pastiche = paint(refinement(**({"seconds": asked} if asked else {})))
    assert refine_arguments(painter)["options"].seconds == LIMIT
    assert pastiche.recipe.get("seconds") == asked
    limit = "This server refines a picture for at most 15 minutes: it ended before its last step."
    assert pastiche.notes == ["Calm.", limit]


@pytest.mark.parametrize("notes", [[], ["The loss fell no more."]])
def test_what_ended_by_itself_needs_no_note_however_long_it_took(painter, paint, refinement, notes):
    painter.seconds, painter.ended, painter.notes = LIMIT + 1, "settled", notes
    assert paint(refinement()).notes == notes


def test_who_asks_for_less_than_the_limit_has_what_was_asked_for(painter, paint, refinement):
    painter.seconds, painter.ended = 10.0, "time"
    pastiche = paint(refinement(seconds=10.0))
    assert refine_arguments(painter)["options"].seconds == pastiche.recipe["seconds"] == 10.0
    assert pastiche.notes == []


def test_what_a_refinement_came_to_is_as_large_as_it_was_to_become(library, refinement, photo):
    clear = np.dstack([photo, np.linspace(0, 1, photo.shape[1], dtype="float32")[None].repeat(photo.shape[0], 0)])
    asked = refinement(size=256, steps=80, encoder="vgg16")
    order = asked.model_copy(
        update={"content": library.put_picture("ann", image_files.encode(image_files.read(clear)))}
    )
    pastiche = render_checkpoint(order, library, Checkpoint(image_files.encode(Picture(1 - photo[::2, ::2])), 40, 30.0))
    assert (pastiche.picture.rgb.shape, pastiche.picture.alpha.shape) == ((192, 256, 3), (192, 256))
    assert pastiche.picture.rgb.mean() == pytest.approx(1 - photo.mean(), abs=0.01)
    assert (pastiche.complete, pastiche.seconds, pastiche.weights) == (False, 30.0, "vgg16")
    assert pastiche.notes == ["It was stopped after step 40 of 80."]
    assert pastiche.recipe.items() >= {"method": "gatys", "width": 256, "height": 192, "steps": 80}.items()


def test_what_a_refinement_came_to_says_of_what(library, refinement, photo, photo_png, painting_png):
    asked = refinement(image_files.encode(Picture(photo)), size=128, encoder="vgg19-slim")
    order = asked.model_copy(
        update={"masks": ["alpha", library.put_picture("ann", image_files.encode(Picture(photo)))]}
    )
    told = recipes.Recipe.model_validate(render_checkpoint(order, library, Checkpoint(1 - photo, 40, 30.0)).recipe)
    assert [mask if isinstance(mask, str) else bool(mask.png) for mask in told.masks] == ["alpha", True]
    assert (told.content_sha256, told.model_extra["start"]) == (
        recipe_builder.pixels_sha256(image_files.read(photo_png).rgb),
        "given",
    )
    assert told.styles[0].sha256 == recipe_builder.pixels_sha256(stylization.read_style(painting_png, 128))
    assert told.weights_sha256 == encoder_sha256("vgg19-slim")


def test_what_an_order_has_to_tell_comes_before_the_painter_s_own(painter, paint, library, refinement, photo_png):
    painter.notes = ["Calm."]
    order = refinement(size=128, encoder="vgg16").model_copy(update={"notes": ["Lost."]})
    assert paint(order).notes == ["Lost.", "Calm."]
    assert render_checkpoint(order, library, Checkpoint(photo_png, 4, 3.0)).notes[0] == "Lost."


def trained_file(weights_sha256: str = NEGATIVE_SHA256) -> bytes:
    weights = {"weights": NEGATIVE, "weights_sha256": weights_sha256}
    vector = np.full(4, 0.5, "float32")
    return StyleFile.with_network(network_file(0, weights_sha256), name="swirl", vector=vector, **weights).to_bytes()


@pytest.mark.parametrize(
    ("options", "paints", "notes"),
    [
        (StylizeOptions(), "trained", []),
        (StylizeOptions(keep_colours=0.5), "trained", []),
        (StylizeOptions(network="shared"), "picture", []),
        (StylizeOptions(style_scale=2), "picture", [SHARED_PAINTED]),
        (StylizeOptions(match_colours="histogram"), "picture", [SHARED_PAINTED]),
        (StylizeOptions(style_scale=2, network="shared"), "picture", []),
        (SheetOptions(), "trained", []),
        (SheetOptions(style_scales=[1, 2]), "picture", [SHARED_PAINTED]),
        (SheetOptions(match_colours="covariance"), "picture", [SHARED_PAINTED]),
    ],
)
def test_a_trained_network_paints_where_it_can(painter, options, paints, notes):
    trained = trained_file()
    styles = [StyleSource(b"picture", trained), StyleSource(b"another")]
    first = trained if paints == "trained" else b"picture"
    assert choose_sources(painter, styles, options) == ([first, b"another"], notes)


def test_a_network_for_other_weights_paints_nothing(painter):
    styles = [StyleSource(b"picture", trained_file("1" * 64))]
    assert choose_sources(painter, styles, StylizeOptions()) == ([b"picture"], [])


@pytest.mark.parametrize("size", [64, 4200])
def test_an_order_with_a_network_is_painted_by_it_with_its_notes(library, painter, photo_png, painting_png, size):
    trained = trained_file()
    content, picture, network = (library.put_picture("ann", data) for data in (photo_png, painting_png, trained))
    styles = [OrderStyle(name="swirl", picture=picture, network=network)]
    for scale, source, notes in ((1, trained, []), (2, painting_png, [SHARED_PAINTED])):
        options = StylizeOptions(size=size, style_scale=scale)
        order = Order(content=content, content_name="photo", styles=styles, options=options)
        painted = render_order(order, library, painter, lambda step: None, None, LIMIT)
        assert painter.calls[-1].arguments["styles"] == [source]
        assert (painted.notes if isinstance(painted, Pastiche) else painted.report.notes) == notes


def test_a_refinement_goes_by_the_picture(library, painter, refinement, painting_png):
    order = refinement(steps=2, size=128)
    network = library.put_picture("ann", trained_file())
    order = order.model_copy(update={"styles": [order.styles[0].model_copy(update={"network": network})]})
    render_order(order, library, painter, lambda step: None, None, LIMIT)
    assert painter.calls_of("refine")[0].arguments["styles"] == [painting_png]
