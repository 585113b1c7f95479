"""The styles that ship."""

from __future__ import annotations

import pytest

from app.storage import gallery
from app.storage.records import Style
from model.imaging import image_files
from model.style_file import CREDIT_LENGTH, LICENCE_LENGTH, NAME_LENGTH


@pytest.mark.parametrize("style", gallery.shipped(), ids=lambda style: style.id)
def test_a_style_ships_with_its_picture(style: Style) -> None:
    assert style.file
    assert min(image_files.read(style.file).rgb.shape[:2]) >= 256
    image_files.read(style.file.with_name(f"{style.id}-cat.jpg"))
    assert not style.own
    assert style.picture is style.thumbnail is style.vector is None


@pytest.mark.parametrize("style", gallery.shipped(), ids=lambda style: style.id)
def test_a_style_ships_with_its_words(style: Style) -> None:
    assert 0 < len(style.name) <= NAME_LENGTH
    assert 0 < len(style.credit) <= CREDIT_LENGTH
    assert 0 < len(style.licence) <= LICENCE_LENGTH
    assert style.about


def test_a_dozen_styles_ship() -> None:
    assert len(gallery.shipped()) >= 12


def test_no_two_styles_share_a_name_or_id() -> None:
    names = [name for style in gallery.shipped() for name in {style.id, style.name}]
    assert len(names) == len(set(names))


def test_styles_are_shown_on_a_cat() -> None:
    image_files.read(gallery.SAMPLE_PHOTO)


def test_the_list_is_read_once() -> None:
    assert gallery.shipped() is gallery.shipped()
