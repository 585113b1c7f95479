"""A pastiche tells how it was made: embedded, read back, and done over; and nothing of the photo's own comes along."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from model import stylize
from model.errors import InvalidOption, NoRecipe, WeightsMissing
from model.imaging import image_files, metadata, pixel_ops
from model.imaging.pixel_ops import Picture
from model.options import RefineOptions, StylizeOptions
from model.pipelines import recipe_builder
from model.pipelines.recipes import Recipe, extract, to_options, with_credits
from model.pipelines.rerun import rerun
from model.weights import registry
from tests.support.tiny_weights import write_tiny

FORMATS: list[Any] = ["png", "jpeg", "webp", "tiff"]
VECTOR = np.linspace(-1, 1, 8, dtype="<f4")
HASH = "5" * 64


def told(**changed: Any) -> dict[str, Any]:
    style = {"weight": 1.0, "sha256": HASH, "vector": base64.b64encode(VECTOR).decode()}
    style["vector_sha256"] = hashlib.sha256(VECTOR.tobytes()).hexdigest()
    whole = {"method": "magenta", "weights": "tiny", "weights_sha256": HASH, "width": 30, "height": 20}
    return whole | {"strength": 0.5, "keep_colours": 0.25, "styles": [style]} | changed


def flat(height: int = 20, width: int = 30) -> Picture:
    return Picture(np.full((height, width, 3), 0.6, np.float32), dpi=(300.0, 300.0))


def carrying(text: str, **chunk: Any) -> bytes:
    """A PNG with this text in the place of a recipe."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt(metadata.PNG_KEYWORD, text, **chunk)
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_embedded_is_read_back(format: Any, tmp_path: Path) -> None:
    given = told(masks=["alpha", {"sha256": HASH, "png": base64.b64encode(b"\x89PNG").decode()}], surprise={"new": [1]})
    data = image_files.encode(flat(), format, recipe=given)
    path = tmp_path / "pastiche"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data)):
        assert extract(source).told() == {"recipe": 1} | given


@pytest.mark.parametrize("format", FORMATS)
def test_a_recipe_changes_no_pixel_and_files_are_repeatable(format: Any) -> None:
    with_it, without = (image_files.encode(flat(), format, recipe=each) for each in (told(), None))
    assert with_it == image_files.encode(flat(), format, recipe=told())
    with Image.open(io.BytesIO(with_it)) as one, Image.open(io.BytesIO(without)) as other:
        assert one.tobytes() == other.tobytes()


def test_what_does_not_fit_into_jpeg_is_left_out_and_said() -> None:
    png = base64.b64encode(b"\x89PNG" + bytes(30_000)).decode()
    small = {"sha256": HASH, "png": base64.b64encode(b"\x89PNG").decode()}
    given = told(masks=[{"sha256": HASH, "png": png}, small, {"sha256": HASH, "png": png}])
    found = extract(image_files.encode(flat(), "jpeg", recipe=given)).told()
    assert found["masks"] == [{"sha256": HASH}, small, {"sha256": HASH, "png": png}]
    assert found["left_out"] == ["masks"]
    assert extract(image_files.encode(flat(), "webp", recipe=given)).told() == {"recipe": 1} | given


def test_vectors_are_left_out_last() -> None:
    given = told()
    given["styles"] = [given["styles"][0] | {"vector": base64.b64encode(bytes(60_000)).decode()}]
    given["styles"][0]["vector_sha256"] = hashlib.sha256(bytes(60_000)).hexdigest()
    found = extract(image_files.encode(flat(), "jpeg", recipe=given)).told()
    assert found["left_out"] == ["masks", "vectors"]
    assert found["styles"] == [{key: value for key, value in given["styles"][0].items() if key != "vector"}]


def xmp(data: bytes) -> ElementTree.Element:
    with Image.open(io.BytesIO(data)) as image:
        packet = image.info.get("xmp") or image.getexif()[700]
    return ElementTree.fromstring(packet.strip(b"\0"))


@pytest.mark.parametrize("format", FORMATS)
def test_xmp_names_the_kind_of_source_and_the_credits(format: Any) -> None:
    styles = [{"weight": 0.5}, {"weight": 0.5}]
    given = with_credits(told(styles=styles), [('Waves <&"\x07', "A. Painter", "CC0-1.0"), ("Dots 点", "", "")])
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
    assert with_credits(told(), []) == with_credits(told(), [("", "", "")]) == told()
    packet = xmp(image_files.encode(flat(), recipe=told()))
    assert packet.find(".//photoshop:Credit", metadata.NAMESPACES) is None


def photo_with_secrets() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0131], exif[0x013B] = "SECRET camera", "SECRET software", "SECRET artist"
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (48.0, 51.0, 29.0)
    exif.get_ifd(0x8769)[0x927C] = b"SECRET maker note"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0SECRET comment"
    exif.get_ifd(0x8769)[0xA431] = "SECRET serial number"
    file = io.BytesIO()
    image = Image.effect_noise((64, 48), 60).convert("RGB")
    image.save(file, "JPEG", exif=exif, comment=b"SECRET note", xmp=b"<x>SECRET xmp</x>", dpi=(240, 240))
    return file.getvalue()


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_the_photo_but_its_pixels_and_resolution(format: Any) -> None:
    photo = photo_with_secrets()
    assert photo.count(b"SECRET") == 8
    data = image_files.encode(image_files.read(photo), format, recipe=told())
    assert b"SECRET" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image_files._read_dpi(image) == (240.0, 240.0)
        assert image.getexif().get_ifd(0x8825) == {}
        assert set(image.getexif().get_ifd(0x8769)) <= {0x9000, 0x9286}  # the version, and the recipe
        assert "comment" not in image.info


def plain(format: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, format)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        *(plain(kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")),
    ],
)
def test_pictures_without_one(data: bytes) -> None:
    with pytest.raises(NoRecipe, match=r"^This picture has no recipe: .+\.$") as raised:
        extract(data)
    assert raised.value.field == "picture"


def test_a_photo_with_comments_of_its_own_has_none(tmp_path: Path) -> None:
    with pytest.raises(NoRecipe, match="was not made here"):
        extract(photo_with_secrets())
    with pytest.raises(NoRecipe, match="there is no file"):
        extract(tmp_path / "nowhere.png")


BROKEN = {
    "cut short": json.dumps(told())[:-20],
    "no object": "[1]",
    "empty": "{}",
    "deep": "{" + '"a":{' * 5000,
    "unknown method": json.dumps(told(method="magic")),
    "no styles": json.dumps(told(styles=[])),
    "nine styles": json.dumps(told(styles=[{"weight": 1}] * 9)),
    "no size": json.dumps(told(width=0)),
    "not a number": json.dumps(told(height=float("nan"))),
    "no hash": json.dumps(told(weights_sha256="abc")),
    "vector cut short": json.dumps(told(styles=[{"weight": 1, "vector": "AAAA"}])),
    "vector of others": json.dumps(told(styles=[told()["styles"][0] | {"vector_sha256": HASH}])),
    "vector no base64": json.dumps(told(styles=[{"weight": 1, "vector": "é"}])),
    "mask of a word": json.dumps(told(masks=["somewhere"])),
    "mask no picture": json.dumps(told(masks=[{"sha256": HASH, "png": "AAAA"}])),
    "options as a list": json.dumps(told(strength=[1])),
    "strength out of range": json.dumps(told(strength=7)),
    "weights of nothing": json.dumps(told(styles=[{"weight": 0}, {"weight": 0}])),
    "a strength for no mask": json.dumps(told(region_strengths=[1])),
    "shares for other masks": json.dumps(told(steady=True, mix=[1, 1])),
    "a name that fits no file": json.dumps(told(styles=[{"weight": 1, "name": "x" * 81}])),
    "too many": json.dumps(told(padding="x" * metadata.MAX_TEXT_BYTES)),
    "refinement out of range": json.dumps(told(method="gatys", steps=0)),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_recipes_are_no_recipe(text: str) -> None:
    with pytest.raises(NoRecipe, match=r"^This picture has no recipe: .+\.$"):
        extract(carrying(text))


def test_a_recipe_of_a_newer_version_says_so() -> None:
    with pytest.raises(NoRecipe, match="newer version"):
        extract(carrying(json.dumps(told(recipe=2))))


def test_a_bomb_of_compressed_text_does_not_go_off() -> None:
    with pytest.raises(NoRecipe):
        extract(carrying("{" + " " * 50_000_000, zip=True))


def test_the_picture_itself_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [image_files.encode(flat(), format, recipe=told()) for format in FORMATS]
    huge = bytearray(files[0])
    huge[16:24] = struct.pack(">2I", 2**30, 2**30)
    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    for data in (*files, bytes(huge)):
        assert extract(data).width == 30


def test_a_recompressed_text_is_read_too() -> None:
    assert extract(carrying(json.dumps(told()), zip=True)).width == 30


def test_options_come_back() -> None:
    styles = [{"weight": 0.75}, {"weight": 0.25}]
    found = to_options(told(styles=styles, size=640, tiles="always", format="tiff", mix=[0.2], steady=True))
    expected = {"strength": 0.5, "keep_colours": 0.25, "size": 640, "tiles": "always", "format": "tiff", "steady": True}
    assert found == StylizeOptions.parse(expected | {"weights": [0.75, 0.25]})


def test_options_of_a_refinement_come_back() -> None:
    asked = RefineOptions(preset="fast", seed=7, size=300, encoder="vgg19-slim")
    used = asked.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    assert to_options(told(method="gatys", keep_colours=0) | used | {"strength": 1}) == asked
    assert to_options(told(method="gatys", start="given", width=400)).model_dump()["size"] == 400


def test_a_dict_that_is_no_recipe() -> None:
    with pytest.raises(NoRecipe):
        to_options({"method": "magenta"})


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("others") / "other.npz", seed=1)


def same(one: Picture, other: Picture) -> bool:
    return bool(np.array_equal(one.rgb, other.rgb)) and one.dpi == other.dpi


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"strength": 0.6, "size": 80, "keep_colours": 0.5},
        {"steady": True, "strength": 0.5},
        {"style_scale": 2, "match_colours": "covariance", "dpi": 200},
    ],
    ids=["plain", "strength", "steady", "brush"],
)
def test_the_same_again(asked: dict[str, Any], format: Any, tiny: Path, photo_png: bytes, painting: np.ndarray) -> None:
    chosen = StylizeOptions.parse(asked)
    first = stylize(photo_png, [painting], chosen, tiny)
    found = extract(image_files.encode(first.picture, format, recipe=first.recipe))
    again = rerun(found, photo_png, model_path=tiny)
    assert same(first.picture, again.picture)
    assert again.notes == []
    assert again.recipe == {"recipe": 1} | first.recipe or again.recipe == first.recipe
    assert to_options(found) == chosen


def test_the_photo_may_be_a_file_that_is_open(
    tiny: Path, photo_png: bytes, painting: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(photo_png)
    first = stylize(photo_png, [painting], None, tiny)
    with (tmp_path / "photo.png").open("rb") as file:
        assert same(first.picture, rerun(first.recipe, file, model_path=tiny).picture)


def test_the_same_again_in_regions(tiny: Path, photo_png: bytes, painting: np.ndarray) -> None:
    mask = np.zeros((96, 128), np.uint8)
    mask[:, 40:] = 255
    chosen = StylizeOptions(steady=True, region_strengths=[0.4, 0.9], feather=1, weights=[1, 3])
    first = stylize(photo_png, [painting, painting[::-1, :, ::-1]], chosen, tiny, masks=["everywhere", mask])
    found = extract(image_files.encode(first.picture, recipe=first.recipe))
    assert same(first.picture, rerun(found, photo_png, model_path=tiny).picture)
    with_mask = rerun(found, photo_png, [painting, painting[::-1, :, ::-1]], ["everywhere", mask], tiny)
    assert same(first.picture, with_mask.picture)
    with pytest.raises(InvalidOption, match="Mask 2 is not the one") as raised:
        rerun(found, photo_png, masks=["everywhere", 255 - mask], model_path=tiny)
    assert raised.value.field == "mask"
    with pytest.raises(InvalidOption, match="2 masks, not 1"):
        rerun(found, photo_png, masks=[mask], model_path=tiny)


def test_masks_without_their_pictures_must_be_given(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    mask = np.tile(np.array([0, 255], np.uint8).repeat(64), (96, 1))
    first = stylize(photo, [painting], None, tiny, masks=[mask])
    hashed = first.recipe | {"masks": [{"sha256": first.recipe["masks"][0]["sha256"]}]}
    with pytest.raises(InvalidOption, match="only the hash of mask 1"):
        rerun(hashed, photo, model_path=tiny)
    assert same(first.picture, rerun(hashed, photo, masks=[mask], model_path=tiny).picture)


def test_paintings_must_be_those_of_the_recipe(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    assert same(first.picture, rerun(first.recipe, photo, [painting], model_path=tiny).picture)
    with pytest.raises(InvalidOption, match="Style 1 is not the one") as raised:
        rerun(first.recipe, photo, [painting[::-1]], model_path=tiny)
    assert raised.value.field == "style"
    with pytest.raises(InvalidOption, match="1 style, not 2"):
        rerun(first.recipe, photo, [painting] * 2, model_path=tiny)


def test_without_vectors_the_paintings_are_looked_at_again(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], StylizeOptions(style_scale=2), tiny)
    hashed = first.recipe | {"styles": [metadata._without_key(first.recipe["styles"][0], "vector")]}
    with pytest.raises(InvalidOption, match="only the hashes of its paintings"):
        rerun(hashed, photo, model_path=tiny)
    assert same(first.picture, rerun(hashed, photo, [painting], model_path=tiny).picture)


def test_another_photo_is_noted(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    assert rerun(first.recipe, photo[::-1], model_path=tiny).notes == [
        "This is not the photo that the recipe was made with, so the result is another picture."
    ]
    turned = rerun(first.recipe, photo.swapaxes(0, 1), model_path=tiny)
    assert turned.picture.rgb.shape == (128, 96, 3)
    assert "other proportions" in turned.notes[0]


def test_a_larger_copy_of_the_photo_gives_the_size_of_the_recipe(
    tiny: Path, photo: np.ndarray, painting: np.ndarray
) -> None:
    first = stylize(photo, [painting], None, tiny)
    again = rerun(first.recipe, photo.repeat(2, 0).repeat(2, 1), model_path=tiny)
    assert again.picture.rgb.shape == photo.shape
    assert "size" not in again.recipe


def test_a_print_of_another_copy_of_the_photo_is_as_large_on_paper(
    tiny: Path, photo: np.ndarray, painting: np.ndarray
) -> None:
    first = stylize(photo, [painting], StylizeOptions(print="1x1cm"), tiny)
    again = rerun(first.recipe, pixel_ops.resize(photo, (224, 300)), model_path=tiny)
    assert again.picture.rgb.shape[1] == first.picture.rgb.shape[1] == 118
    assert again.picture.dpi == (300, 300)


def test_other_versions_are_noted(tiny: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    older = first.recipe | {"versions": recipe_builder.library_versions() | {"tensorflow": "1.0"}}
    assert "other versions of tensorflow" in rerun(older, photo, model_path=tiny).notes[0]


def test_weights_that_are_not_here_are_named(tiny: Path, other: Path, photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], None, tiny)
    digits = first.recipe["weights_sha256"][:12]
    for model_path in (other, None):
        with pytest.raises(WeightsMissing, match=rf"'tiny' \({digits}\).+ put their file") as raised:
            rerun(first.recipe, photo, model_path=model_path)
        assert raised.value.field == "model_path"


def test_weights_are_found_by_their_hash(
    tiny: Path, photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = stylize(photo, [painting], None, tiny)
    (tmp_path / registry.SHIPPED_MAGENTA.name).write_bytes(tiny.read_bytes())
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert same(first.picture, rerun(first.recipe, photo).picture)


def test_the_same_again_with_the_weights_that_ship(photo: np.ndarray, painting: np.ndarray) -> None:
    first = stylize(photo, [painting], StylizeOptions(size=64), "magenta-small")
    found = extract(image_files.encode(first.picture, "jpeg", recipe=first.recipe))
    assert same(first.picture, rerun(found, photo).picture)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_refinement_again(photo: np.ndarray, painting: np.ndarray) -> None:
    from model import refine

    asked = {"preset": "fast", "encoder": "vgg19-slim", "size": 100, "steps": 2, "start": "noise", "seed": 5}
    first = refine(photo, [painting], RefineOptions.parse(asked))
    found = extract(image_files.encode(first.picture, "webp", recipe=first.recipe))
    with pytest.raises(InvalidOption, match="give them, in their order"):
        rerun(found, photo)
    again = rerun(found, photo, [painting])
    assert same(first.picture, again.picture)
    assert again.notes == first.notes
    stopped = found.model_copy(update={"ended": "stopped"})
    assert "stopped early" in rerun(stopped, photo, [painting]).notes[-1]
    other_encoder = found.model_copy(update={"weights_sha256": HASH})
    with pytest.raises(WeightsMissing, match="'vgg19-slim'"):
        rerun(other_encoder, photo, [painting])


@pytest.mark.usefixtures("tiny_encoder")
def test_a_refinement_begins_with_a_pastiche_of_the_same_weights(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, other: Path
) -> None:
    from model import refine

    asked = RefineOptions.parse({"preset": "fast", "size": 100, "steps": 1})
    first = refine(photo, [painting], asked, model_path=tiny)
    assert same(first.picture, rerun(first.recipe, photo, [painting], model_path=tiny).picture)
    with pytest.raises(WeightsMissing, match="the weights 'tiny'"):
        rerun(first.recipe, photo, [painting], model_path=other)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_refinement_that_began_with_a_picture(photo: np.ndarray, painting: np.ndarray) -> None:
    from model import refine

    asked = {"preset": "fast", "encoder": "vgg19-slim", "size": 100, "steps": 2}
    first = refine(photo, [painting], RefineOptions.parse(asked), start=painting)
    with pytest.raises(InvalidOption, match="give it as start") as raised:
        rerun(first.recipe, photo, [painting])
    assert raised.value.field == "start"
    assert same(first.picture, rerun(first.recipe, photo, [painting], start=painting).picture)


def test_a_recipe_is_tolerant_of_additions() -> None:
    found = Recipe.model_validate(told(styles=[told()["styles"][0] | {"mood": "calm"}], later=1))
    assert found.told()["styles"][0]["mood"] == "calm"
    assert found.told()["later"] == 1
