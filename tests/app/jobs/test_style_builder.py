"""Paintings and style files become styles."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.inputs import references
from app.jobs import style_builder
from app.jobs.rendering import THUMBNAIL_SIDE
from app.storage import gallery
from model.errors import InvalidOption, UnsupportedImage
from model.imaging import image_files
from model.style_file import StyleFile
from tests.support.fake_painter import mean_vector
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256, pixels
from tests.support.stored_results import files_of, with_place
from tests.support.torch_files import imported_style

ANN = "ann"


@pytest.fixture
def library(app):
    return app.extensions["library"]


@pytest.fixture
def add(app, library):
    def added(*pictures, name="Mine", **more):
        return style_builder.add_painting(library, app.extensions["engine"], ANN, pictures, name=name, **more)

    return added


def plain(colour, size=(64, 48)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def test_a_painting_is_kept_as_it_is_seen(add, library, photo_png):
    style = add(with_place(photo_png), credit="Ann", licence="CC BY 4.0")
    assert (style.name, style.credit, style.licence, style.own) == ("Mine", "Ann", "CC BY 4.0", True)
    assert (style.vector, style.weights) == (None, None)
    for key in (style.picture, style.thumbnail):
        kept = Image.open(io.BytesIO(library.picture(key)))
        assert dict(kept.getexif()) == {}
        assert b"Leica" not in library.picture(key)
        assert abs(pixels(library.picture(key)).astype(int) - pixels(photo_png)).mean() < 4


def test_a_large_painting_is_kept_no_larger_than_the_networks_look(add, library):
    style = add(plain("red", (3000, 300)))
    assert pixels(library.picture(style.picture)).shape == (102, 1024, 3)
    assert pixels(library.picture(style.thumbnail)).shape == (36, 360, 3)


def test_what_is_clear_is_white(add, library):
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(file, "PNG")
    style = add(file.getvalue())
    assert pixels(library.picture(style.picture)).min() > 250


def test_numbers_alone_keep_no_artwork(add, library, painting_png):
    style = add(painting_png, keep="vector")
    assert style.picture is None
    assert style.vector == pytest.approx(mean_vector(painting_png))
    assert (style.weights, style.weights_sha256) == (NEGATIVE, NEGATIVE_SHA256)
    assert_painted_sample(library.picture(style.thumbnail))


def assert_painted_sample(thumbnail):
    cat = image_files.read(str(gallery.SAMPLE_PHOTO), limit=THUMBNAIL_SIDE).rgb
    assert abs(pixels(thumbnail) / 255 - (1 - cat)).mean() < 0.05  # a vector's face: the cat painted in it


def test_several_paintings_are_their_average(add):
    style = add(plain((0, 0, 0)), plain((255, 255, 0)))
    assert style.picture is None
    assert style.vector == pytest.approx([0.5, 0.5, 0, 1])


@pytest.mark.parametrize("count", [0, 9])
def test_one_to_eight_paintings(add, count):
    with pytest.raises(InvalidOption, match="between 1 and 8 paintings") as refused:
        add(*[plain("red")] * count)
    assert refused.value.field == "picture"


@pytest.mark.parametrize("keep", ["picture", "vector"])
def test_what_is_no_picture_names_its_field(app, add, keep):
    with pytest.raises(UnsupportedImage) as refused:
        add(b"no picture", keep=keep)
    assert refused.value.field == "picture"
    assert files_of(app) == set()


def test_styles_are_averaged(app, add, library):
    styles = [add(plain((0, 0, 0)), name="Night"), add(plain((255, 255, 255)), name="Snow", keep="vector")]
    style = style_builder.add_average(library, app.extensions["engine"], ANN, styles, name="Dusk")
    assert style.vector == pytest.approx([0.5, 0.5, 0.5, 1], abs=0.01)
    assert style.credit == "The average of Night, Snow"
    shipped = gallery.shipped()[:2]
    style = style_builder.add_average(library, app.extensions["engine"], ANN, shipped, name="Both", credit=" Ann ")
    expected = np.mean([mean_vector(str(one.file)) for one in shipped], axis=0)
    assert style.vector == pytest.approx(expected)
    assert style.credit == "Ann"


def test_the_credit_of_an_average_fits(app, add, library):
    styles = [add(plain("red"), name=f"{number}" * 80) for number in range(4)]
    style = style_builder.add_average(library, app.extensions["engine"], ANN, styles, name="Long")
    assert len(style.credit) == 200


@pytest.mark.parametrize("count", [0, 1, 9])
def test_two_to_eight_styles_are_averaged(app, library, count):
    styles = [gallery.shipped()[0]] * count
    with pytest.raises(InvalidOption, match="between 2 and 8 styles") as refused:
        style_builder.add_average(library, app.extensions["engine"], ANN, styles, name="Both")
    assert refused.value.field == "styles"


@pytest.mark.parametrize("keep", ["picture", "vector"])
def test_exported_and_imported_it_is_the_same(app, add, library, painting_png, keep):
    engine = app.extensions["engine"]
    style = add(painting_png, credit="Ann", licence="CC0", keep=keep)
    file = style_builder.export_file(library, engine, style)
    assert StyleFile.from_bytes(file.to_bytes()).vector == pytest.approx(mean_vector(painting_png), abs=0.01)
    again = style_builder.add_file(library, engine, "bob", file.to_bytes())
    assert (again.name, again.credit, again.licence) == ("Mine", "Ann", "CC0")
    assert again.vector == pytest.approx(file.vector)
    assert_painted_sample(library.picture(again.thumbnail))


def test_a_style_that_ships_is_exported(app, library):
    style = gallery.shipped()[0]
    file = style_builder.export_file(library, app.extensions["engine"], style)
    assert (file.name, file.licence) == (style.name, style.licence)
    assert file.vector == pytest.approx(mean_vector(str(style.file)))


def test_numbers_for_other_weights_are_refused(app, add, library, painting_png):
    engine = app.extensions["engine"]
    style = replace(add(painting_png, keep="vector"), weights="other", weights_sha256="1" * 64)
    foreign = style_builder.export_file(library, engine, style).to_bytes()
    for refused in (
        lambda: style_builder.add_file(library, engine, ANN, foreign),
        lambda: style_builder.add_average(library, engine, ANN, [style, style], name="Both"),
    ):
        with pytest.raises(InvalidOption, match="made with the weights 'other'"):
            refused()


def test_an_imported_network_is_taken_in_painted_with_and_exported(app, library, painter):
    painter.use_library("stylize")
    engine, file = app.extensions["engine"], imported_style(credit="A. Trainer", licence="BSD")
    style = style_builder.add_file(library, engine, ANN, file.to_bytes())
    assert Image.open(io.BytesIO(library.picture(style.thumbnail))).width == THUMBNAIL_SIDE
    assert library.picture(style.network) == file.network
    assert style_builder.export_file(library, engine, style).to_bytes() == file.to_bytes()
    assert references.style_from_library(library, style).source == file.to_bytes()


def test_an_imported_network_cannot_be_averaged(app, add, library, painter, painting_png):
    painter.use_library("stylize")
    engine = app.extensions["engine"]
    style = style_builder.add_file(library, engine, ANN, imported_style().to_bytes())
    with pytest.raises(InvalidOption, match="imported network, which has no numbers to average") as refused:
        style_builder.add_average(library, engine, ANN, [add(painting_png), style], name="Both")
    assert refused.value.field == "styles"


def test_what_is_no_style_file_is_refused(app, library):
    with pytest.raises(InvalidOption, match="not a style file") as refused:
        style_builder.add_file(library, app.extensions["engine"], ANN, b"{}")
    assert refused.value.field == "vector"
