"""Metadata embedded in a result's file: its recipe as JSON text, and its origin and credits as XMP.

The text is an iTXt chunk in PNG, the UserComment of EXIF in JPEG and WebP, and the ImageDescription of TIFF. It is
ASCII, and short enough for each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never
from xml.etree import ElementTree

from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from model.options import Format

PNG_KEYWORD = "pastiche-recipe"  # of the PNG chunk
XMP_KEYWORD = "XML:com.adobe.xmp"
RECIPE_VERSION = 1  # of the recipe's schema; a program of an older one refuses it
MAX_TEXT_BYTES = 1_000_000  # Pillow reads no more of a compressed chunk, as other programs may write it
MAX_JPEG_TEXT_BYTES = 64_000  # EXIF is one segment, of at most 65533 bytes

# IPTC has "algorithmicallyEnhanced" for changes without generative AI, and "trainedAlgorithmicMedia" for what is made
# by it from nothing. This one is "Edited using Generative AI": an existing photo, repainted by a trained network.
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_CHARACTER_CODE = b"ASCII\0\0\0"  # how a UserComment begins
_XMP_TAG = 700  # of TIFF

for _prefix, _uri in NAMESPACES.items():
    ElementTree.register_namespace(_prefix, _uri)


@dataclass(frozen=True)
class EmbeddedMetadata:
    text: str  # ASCII; empty where even the shortest does not fit
    xmp: bytes  # UTF-8

    def exif(self, dpi: tuple[float, float] | None = None) -> bytes:
        """Return the EXIF block, which begins with "Exif" and two zeros."""
        exif = build_exif(dpi)
        if self.text:
            inner = exif.get_ifd(ExifTags.IFD.Exif)
            inner[ExifTags.Base.ExifVersion] = b"0232"
            inner[ExifTags.Base.UserComment] = _CHARACTER_CODE + self.text.encode("ascii")
        return exif.tobytes()


def build_metadata(recipe: Mapping[str, Any], format: Format = "png") -> EmbeddedMetadata:
    """Serialise a recipe for a kind of file.

    What does not fit is left out, first the masks and then the vectors; their hashes stay, and "left_out" says so.
    """
    room = MAX_JPEG_TEXT_BYTES if format == "jpeg" else MAX_TEXT_BYTES
    texts = (_to_json(version) for version in _shorter_recipes({"recipe": RECIPE_VERSION, **recipe}))
    return EmbeddedMetadata(next((text for text in texts if len(text) <= room), ""), _build_xmp(recipe))


def pillow_save_options(
    recipe: Mapping[str, Any] | None, format: Format, dpi: tuple[float, float] | None = None
) -> dict[str, Any]:
    """Return the keyword arguments of Image.save that embed a recipe and a resolution."""
    embedded = None if recipe is None else build_metadata(recipe, format)
    match format:
        case "png":
            return _dpi_option(dpi) | ({} if embedded is None else {"pnginfo": _png_chunks(embedded)})
        case "tiff":
            return _dpi_option(dpi) | ({} if embedded is None else {"tiffinfo": _tiff_tags(embedded)})
        case "jpeg":
            return _dpi_option(dpi) | ({} if embedded is None else _xmp_and_exif(embedded, dpi))
        case "webp" if embedded:
            return _xmp_and_exif(embedded, dpi)
        case "webp":  # has no other place for a resolution
            return {"exif": build_exif(dpi).tobytes()} if dpi else {}
        case _:
            assert_never(format)


def _xmp_and_exif(embedded: EmbeddedMetadata, dpi: tuple[float, float] | None) -> dict[str, Any]:
    return {"xmp": embedded.xmp, "exif": embedded.exif(dpi)}


def find_recipe(image: Image.Image) -> str | None:
    """Return the text of a recipe that this file carries, unparsed."""
    exif = Image.Image.getexif(image)  # that of PNG decodes the picture first
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if isinstance(comment, bytes):
        comment = comment.removeprefix(_CHARACTER_CODE).decode("ascii", "replace")
    texts = image.info.get(PNG_KEYWORD), exif.get(ExifTags.Base.ImageDescription), comment
    return next((text for text in texts if isinstance(text, str) and text.lstrip().startswith("{")), None)


def _to_json(recipe: Any) -> str:
    return json.dumps(recipe, separators=(",", ":"), allow_nan=False)


def _shorter_recipes(recipe: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the recipe whole, then without one mask after another, the largest first, and last without vectors."""
    yield recipe
    masks = list(recipe.get("masks", []))
    for number in sorted(range(len(masks)), key=lambda number: len(_to_json(masks[number])), reverse=True):
        masks[number] = _without_key(masks[number], "png")
        yield recipe | {"masks": masks, "left_out": ["masks"]}
    styles = [_without_key(style, "vector") for style in recipe.get("styles", [])]
    yield recipe | {"masks": masks, "styles": styles, "left_out": ["masks", "vectors"]}


def _without_key(entry: Any, key: str) -> Any:
    return {name: value for name, value in entry.items() if name != key} if isinstance(entry, Mapping) else entry


def _dpi_option(dpi: tuple[float, float] | None) -> dict[str, Any]:
    return {"dpi": dpi} if dpi else {}


def build_exif(dpi: tuple[float, float] | None, orientation: int = 1) -> Image.Exif:
    """Build EXIF of a resolution and an orientation; the usual one is left out."""
    exif = Image.Exif()
    if orientation != 1:
        exif[ExifTags.Base.Orientation] = orientation
    if dpi:
        exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = dpi
        exif[ExifTags.Base.ResolutionUnit] = 2  # inches
    return exif


def _png_chunks(embedded: EmbeddedMetadata) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    if embedded.text:
        chunks.add_itxt(PNG_KEYWORD, embedded.text)
    chunks.add_itxt(XMP_KEYWORD, embedded.xmp.decode())
    return chunks


def _tiff_tags(embedded: EmbeddedMetadata) -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if embedded.text:
        tags[ExifTags.Base.ImageDescription] = embedded.text
    tags.tagtype[_XMP_TAG] = 1  # bytes
    tags[_XMP_TAG] = embedded.xmp
    return tags


def _build_xmp(recipe: Mapping[str, Any]) -> bytes:
    """Build the XMP packet. There is no dc:creator: it is not the style's painter, and nobody else is known."""
    styles = [style for style in recipe.get("styles", []) if isinstance(style, Mapping)]
    root = ElementTree.Element(_qualified_name("x:xmpmeta"))
    about = _add_child(_add_child(root, "rdf:RDF"), "rdf:Description")
    about.set(_qualified_name("rdf:about"), "")
    _add_child(about, "Iptc4xmpExt:DigitalSourceType").text = DIGITAL_SOURCE_TYPE
    if credits := _credit_line(styles, "name", "credit"):
        _add_child(about, "photoshop:Credit").text = f"Style: {credits}"
    if rights := _credit_line(styles, "name", "credit", "licence"):
        line = _add_child(_add_child(_add_child(about, "dc:rights"), "rdf:Alt"), "rdf:li")
        line.set(_LANGUAGE, "x-default")
        line.text = f"Style: {rights}"
    packet = ElementTree.tostring(root, encoding="unicode")
    marks = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="r"?>'
    return f"{marks[0]}\n{packet}\n{marks[1]}".encode()


def _credit_line(styles: list[Mapping[str, Any]], *keys: str) -> str:
    """List each style once, as in "Waves, A. Painter, CC0-1.0; Dots, …"."""
    lines = (", ".join(filter(None, (_strip_unprintable(style.get(key)) for key in keys))) for style in styles)
    return "; ".join(dict.fromkeys(filter(None, lines)))


def _strip_unprintable(text: Any) -> str:
    """Remove what XML does not allow: control characters and lone surrogates."""
    return "".join(letter for letter in str(text or "") if letter.isprintable()).strip()


def _add_child(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, _qualified_name(name))


def _qualified_name(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"
