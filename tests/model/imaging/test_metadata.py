"""What a result's file says of itself: its recipe, XMP, and nothing of the photo's."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from model.imaging import image_files, metadata
from model.pipelines.recipes import extract, with_credits
from tests.support.images import photo_with_secrets
from tests.support.recipes import FORMATS, HASH, flat, recipe_dict


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_embedded_is_read_back(format: Any, tmp_path: Path) -> None:
    given = recipe_dict(
        masks=["alpha", {"sha256": HASH, "png": base64.b64encode(b"\x89PNG").decode()}], surprise={"new": [1]}
    )
    data = image_files.encode(flat(), format, recipe=given)
    path = tmp_path / "pastiche"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data)):
        assert extract(source).to_dict() == {"recipe": 1} | given


@pytest.mark.parametrize("format", FORMATS)
def test_a_recipe_changes_no_pixel_and_files_are_repeatable(format: Any) -> None:
    with_it, without = (image_files.encode(flat(), format, recipe=each) for each in (recipe_dict(), None))
    assert with_it == image_files.encode(flat(), format, recipe=recipe_dict())
    with Image.open(io.BytesIO(with_it)) as one, Image.open(io.BytesIO(without)) as other:
        assert one.tobytes() == other.tobytes()


def test_what_does_not_fit_into_jpeg_is_left_out_and_said() -> None:
    png = base64.b64encode(b"\x89PNG" + bytes(30_000)).decode()
    small = {"sha256": HASH, "png": base64.b64encode(b"\x89PNG").decode()}
    given = recipe_dict(masks=[{"sha256": HASH, "png": png}, small, {"sha256": HASH, "png": png}])
    found = extract(image_files.encode(flat(), "jpeg", recipe=given)).to_dict()
    assert found["masks"] == [{"sha256": HASH}, small, {"sha256": HASH, "png": png}]
    assert found["left_out"] == ["masks"]
    assert extract(image_files.encode(flat(), "webp", recipe=given)).to_dict() == {"recipe": 1} | given


def test_vectors_are_left_out_last() -> None:
    given = recipe_dict()
    given["styles"] = [given["styles"][0] | {"vector": base64.b64encode(bytes(60_000)).decode()}]
    given["styles"][0]["vector_sha256"] = hashlib.sha256(bytes(60_000)).hexdigest()
    found = extract(image_files.encode(flat(), "jpeg", recipe=given)).to_dict()
    assert found["left_out"] == ["masks", "vectors"]
    assert found["styles"] == [{key: value for key, value in given["styles"][0].items() if key != "vector"}]


def xmp(data: bytes) -> ElementTree.Element:
    with Image.open(io.BytesIO(data)) as image:
        packet = image.info.get("xmp") or image.getexif()[700]
    return ElementTree.fromstring(packet.strip(b"\0"))


@pytest.mark.parametrize("format", FORMATS)
def test_xmp_names_the_kind_of_source_and_the_credits(format: Any) -> None:
    styles = [{"weight": 0.5}, {"weight": 0.5}]
    given = with_credits(recipe_dict(styles=styles), [('Waves <&"\x07', "A. Painter", "CC0-1.0"), ("Dots 点", "", "")])
    assert given["styles"][0] == {"weight": 0.5, "name": 'Waves <&"\x07', "credit": "A. Painter", "licence": "CC0-1.0"}
    data = image_files.encode(flat(), format, recipe=given)
    packet = xmp(data)
    found = packet.find(".//Iptc4xmpExt:DigitalSourceType", metadata.NAMESPACES)
    assert found is not None
    assert found.text == "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    rights = packet.find(".//dc:rights/rdf:Alt/rdf:li", metadata.NAMESPACES)
    assert rights is not None
    assert rights.text == 'Style: Waves <&", A. Painter, CC0-1.0; Dots 点'
    credit = packet.find(".//photoshop:Credit", metadata.NAMESPACES)
    assert credit is not None
    assert credit.text == 'Style: Waves <&", A. Painter; Dots 点'
    assert extract(data).styles[0].name == 'Waves <&"\x07'


def test_a_style_without_a_name_needs_no_credit() -> None:
    assert with_credits(recipe_dict(), []) == with_credits(recipe_dict(), [("", "", "")]) == recipe_dict()
    packet = xmp(image_files.encode(flat(), recipe=recipe_dict()))
    assert packet.find(".//photoshop:Credit", metadata.NAMESPACES) is None


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_the_photo_but_its_pixels_and_resolution(format: Any) -> None:
    photo = photo_with_secrets()
    assert photo.count(b"SECRET") == 8
    data = image_files.encode(image_files.read(photo), format, recipe=recipe_dict())
    assert b"SECRET" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image_files._read_dpi(image) == (240.0, 240.0)
        assert image.getexif().get_ifd(0x8825) == {}
        assert set(image.getexif().get_ifd(0x8769)) <= {0x9000, 0x9286}  # the version, and the recipe
        assert "comment" not in image.info
