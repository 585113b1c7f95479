"""Whole clips, painted by the tiny network; what must be seen, by the weights that ship."""

from __future__ import annotations

import errno
import io
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from API import transfer_clip
from model.errors import ImageError, ImageTooLarge, InvalidOption, UnsupportedImage
from model.imaging import image_files
from model.inference.magenta import Magenta, load
from model.options import ClipOptions
from model.pipelines.clips import FramePainter, stylize_clip
from model.pipelines.compositing import StyleLayer
from model.pipelines.style_mixing import StylePoint
from model.progress import Cancelled, Step
from model.weights import registry
from tests.support.clip_files import HEIGHT, WIDTH, animation, cache_folder, frames, stop_after, video

NOTHING = np.zeros(0, "float32")


@pytest.fixture(scope="module")
def shipped() -> Magenta:
    return load(registry.SHIPPED_MAGENTA)


def lossless(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        return [np.asarray(image.convert("RGB")) for index in range(image.n_frames) if not image.seek(index)]


def still_scene(sigma: float, count: int = 12) -> list[np.ndarray]:
    """(120, 160, 3) in 0..1 each: a bowl on a table, as a camera with noise sees it."""
    y, x = np.mgrid[:120, :160] / np.float32(120)
    table = np.stack([0.6 - 0.2 * y, 0.45 + 0.1 * x, 0.35 + 0.1 * np.sin(14 * x)], axis=2)
    table[(x - 0.65) ** 2 + (y - 0.5) ** 2 < 0.1] = (0.2, 0.3, 0.55)
    rng = np.random.default_rng(0)
    return [(table + rng.normal(0, sigma, table.shape)).clip(0, 1).astype("float32") for _ in range(count)]


def paint_frames(network: Magenta, vector: np.ndarray, smooth: float, pictures: list[np.ndarray]) -> list[np.ndarray]:
    painter = FramePainter(network, StyleLayer(((StylePoint(vector), 1.0),), 1.0), ClipOptions(smooth=smooth), NOTHING)
    return [painter.paint() for picture in pictures if not painter.observe(picture)]


def flicker(shown: list[np.ndarray], pictures: list[np.ndarray]) -> float:
    """Mean absolute difference from frame to frame, over that of the input."""
    one, other = (np.mean([np.abs(a - b).mean() for a, b in pairwise(clip)]) for clip in (shown, pictures))
    return float(one / other)


@pytest.mark.parametrize("sigma", [0.02, 0.05])
def test_a_still_scene_flickers_less_than_half_as_much(shipped: Magenta, painting: np.ndarray, sigma: float):
    vector, pictures = shipped.embed(painting), still_scene(sigma)
    one_by_one = [shipped.render(picture, vector) for picture in pictures]
    smooth = paint_frames(shipped, vector, ClipOptions().smooth, pictures)
    assert flicker(smooth, pictures) < 0.5 * flicker(one_by_one, pictures)
    clean = shipped.render(still_scene(0.0, 1)[0], vector)
    assert np.abs(smooth[-1] - clean).mean() < np.abs(one_by_one[-1] - clean).mean()  # and it is the picture itself


def test_without_smoothing_frames_are_painted_one_by_one(shipped: Magenta, painting: np.ndarray):
    vector, pictures = shipped.embed(painting), still_scene(0.03, 3)
    pairs = zip(paint_frames(shipped, vector, 0.0, pictures), pictures, strict=True)
    assert all(np.abs(one - shipped.render(picture, vector)).max() < 1e-4 for one, picture in pairs)


def test_what_moves_leaves_no_trail_of_paint(shipped: Magenta, painting: np.ndarray):
    vector, pictures = shipped.embed(painting), still_scene(0.02, 8)
    for index, picture in enumerate(pictures):
        picture[30:90, 10 * index : 10 * index + 20] = 0.95
    last, alone = paint_frames(shipped, vector, 0.8, pictures)[-1], shipped.render(pictures[-1], vector)
    behind, apart = np.s_[34:86, 40:66], np.s_[34:86, 110:136]  # where the bar was lately; where it never was
    assert np.abs(last - alone)[behind].mean() < 1.2 * np.abs(last - alone)[apart].mean() + 0.01


def test_a_new_scene_forgets_the_last(shipped: Magenta, painting: np.ndarray):
    vector, (first, second) = shipped.embed(painting), still_scene(0.02, 2)
    cut = np.ascontiguousarray(1 - second[::-1] ** 2)
    assert np.abs(paint_frames(shipped, vector, 1.0, [first, cut])[1] - shipped.render(cut, vector)).max() < 1e-4


def test_within_a_scene_the_network_remembers(shipped: Magenta, painting: np.ndarray):
    """Something dark comes into the frame: far from it, paint changes less than when frames are painted one by one."""
    vector, (first, second) = shipped.embed(painting), still_scene(0.0, 2)
    second[:, :30] = 0.05
    far = np.s_[:, 120:]
    _, smooth = paint_frames(shipped, vector, 0.8, [first, second])
    before, alone = shipped.render(first, vector), shipped.render(second, vector)
    assert np.abs(smooth - before)[far].mean() < 0.7 * np.abs(alone - before)[far].mean()


@pytest.mark.parametrize("ending", [".gif", ".webp", ".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("source", ["GIF", "video"])
def test_any_clip_becomes_any_other(tmp_path: Path, tiny: Path, painting: np.ndarray, source: str, ending: str):
    content = animation() if source == "GIF" else video(tmp_path / "in.mp4", sound="aac")
    output = tmp_path / f"out{ending}"
    report = stylize_clip(content, [painting], output, ClipOptions(), tiny)
    assert (report.width, report.height, report.frames, report.complete) == (WIDTH, HEIGHT, 6, True)
    assert not cache_folder(output).exists()
    if ending in (".gif", ".webp"):
        assert len(lossless(output)) == 6
        return
    with av.open(str(output)) as container:
        times = np.array([frame.time for frame in container.decode(video=0)])
        assert np.diff(times) == pytest.approx([0.1] * 5, abs=0.002)
        assert len(container.streams.audio) == (source == "video")


@pytest.mark.parametrize("ending", [".GIF", ".MP4"])
def test_endings_may_be_in_capitals(tmp_path: Path, tiny: Path, painting: np.ndarray, ending: str):
    output = tmp_path / f"out{ending}"
    stylize_clip(animation(), [painting], output, ClipOptions(), tiny)
    beginning = output.read_bytes()[:12]
    assert beginning.startswith(b"GIF8") if ending == ".GIF" else beginning.endswith(b"ftypisom")


def test_a_frame_is_what_a_photo_would_be(tmp_path: Path, tiny: Path, painting: np.ndarray):
    network = load(tiny)
    output = tmp_path / "out.mkv"
    stylize_clip(animation(), [painting], output, ClipOptions(smooth=0, quality=100), tiny)
    alone = network.render(image_files.read(animation()).rgb, network.embed(painting))
    with av.open(str(output)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="rgb24", src_colorspace="itu709")
    assert np.abs(first / 255 - alone).mean() < 0.06  # four of the video's pixels share a colour


def test_strength_brush_and_colours_reach_the_frames(tmp_path: Path, tiny: Path, painting: np.ndarray):
    def first(**asked: object) -> np.ndarray:
        stylize_clip(animation(), [painting], tmp_path / "out.webp", ClipOptions.parse(asked), tiny)
        return lossless(tmp_path / "out.webp")[0].astype(int)

    plain = first()
    for asked in {"strength": 0.3}, {"style_scale": 3}, {"keep_colours": 1}, {"match_colours": "covariance"}:
        assert np.abs(first(**asked) - plain).mean() > 0.5, asked
    own = first(keep_colours=1, keep_light=1)
    assert np.abs(own - frames()[0]).mean() < 6


def test_sizes(tmp_path: Path, tiny: Path, painting: np.ndarray):
    odd = animation(pictures=[frame[:47, :63] for frame in frames()])
    assert stylize_clip(odd, [painting], tmp_path / "out.gif", ClipOptions(), tiny).width == 63
    report = stylize_clip(odd, [painting], tmp_path / "out.mp4", ClipOptions(size=99), tiny)
    assert (report.width, report.height) == (98, 74)
    assert ClipOptions().result_size(3840, 2160) == (1080, 608)


def test_cancelled_says_so_and_goes_on_later(tmp_path: Path, tiny: Path, painting: np.ndarray):
    output = tmp_path / "out.gif"
    report = stylize_clip(animation(), [painting], output, None, tiny, stop_after(2, Cancelled()))
    assert (report.complete, report.frames) == (False, 2)
    assert "goes on from there" in report.notes[0]
    assert not output.exists()
    steps: list[Step] = []
    assert stylize_clip(animation(), [painting], output, None, tiny, steps.append).complete
    assert steps[0].step == 3
    assert steps[0].preview is not None
    assert steps[-1].seconds_left == 0


def test_what_was_there_stays_until_the_new_is_whole(tmp_path: Path, tiny: Path, painting: np.ndarray):
    output = tmp_path / "out.gif"
    output.write_bytes(b"old")
    stylize_clip(animation(), [painting], output, None, tiny, stop_after(2, Cancelled()))
    assert output.read_bytes() == b"old"


def test_a_full_disk_is_said(tmp_path: Path, tiny: Path, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(ImageTooLarge, match="The disk is full"):
        stylize_clip(video(tmp_path / "in.mp4"), [painting], tmp_path / "out.mp4", None, tiny)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no such file, or it is empty"),
        (b"GIF89a nothing else", "neither a picture that moves nor a video|damaged"),
        (b"just some words " * 99, "neither a picture that moves nor a video"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "neither a picture that moves nor a video"),
        (Path("/nowhere/clip.mp4"), "no such file"),
        (Path("/"), "no such file"),
    ],
)
def test_what_is_no_clip_is_refused_in_words(
    tmp_path: Path, tiny: Path, painting: np.ndarray, content: bytes | Path, sentence: str
):
    with pytest.raises(ImageError, match=rf"^content: .*({sentence})") as caught:
        stylize_clip(content, [painting], tmp_path / "out.gif", None, tiny)
    assert caught.value.field == "content"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["JPEG", "GIF", "PNG", "WEBP"])
def test_a_photo_is_no_clip(tmp_path: Path, tiny: Path, painting: np.ndarray, format: str):
    file = io.BytesIO()
    Image.fromarray(frames()[0]).save(file, format)
    with pytest.raises(UnsupportedImage, match="does not move"):
        stylize_clip(file.getvalue(), [painting], tmp_path / "out.gif", None, tiny)


@pytest.mark.parametrize(
    ("name", "sentence"), [("out.avi", "must end in .gif"), ("none/out.gif", "no folder"), ("there.gif", "is a folder")]
)
def test_an_output_that_cannot_be_is_refused_first(tmp_path: Path, painting: np.ndarray, name: str, sentence: str):
    (tmp_path / "there.gif").mkdir()
    with pytest.raises(InvalidOption, match=sentence) as caught:
        stylize_clip(b"", [painting], tmp_path / name)
    assert caught.value.field == "output"


def test_without_pyav_a_sentence_tells_how_to_install_it(
    tmp_path: Path, tiny: Path, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    content = video(tmp_path / "in.mp4").read_bytes()
    monkeypatch.setitem(sys.modules, "av", None)
    for clip, name in (content, "out.gif"), (animation(), "out.mp4"):
        with pytest.raises(InvalidOption, match=r"pip install -r requirements-video\.txt"):
            stylize_clip(clip, [painting], tmp_path / name, None, tiny)
    assert stylize_clip(animation(), [painting], tmp_path / "out.webp", None, tiny).complete


def said(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_nothing_that_the_video_said_of_its_maker_is_told_on(
    tmp_path: Path, tiny: Path, painting: np.ndarray, ending: str
):
    about = {"location": "+48.1370+011.5750/", "title": "Our garden", "artist": "Erika", "creation_time": "2024-05-01"}
    content = video(tmp_path / "in.mp4", about=about, sound="aac")
    assert "+48.1370+011.5750/" in said(content).values()
    stylize_clip(content, [painting], tmp_path / f"out{ending}", None, tiny)
    own = {"encoder", "comment", "major_brand", "minor_version", "compatible_brands"}
    assert {name.lower() for name in said(tmp_path / f"out{ending}")} <= own
    written = (tmp_path / f"out{ending}").read_bytes()
    assert not any(word in written for word in (b"48.137", b"loci", b"garden", b"Erika", b"2024-05"))


def test_nothing_that_the_picture_said_of_its_maker_is_told_on(tmp_path: Path, tiny: Path, painting: np.ndarray):
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = "Our garden", "Erika"
    for content in animation("WEBP", exif=exif), animation(comment=b"Our garden, Erika"):
        for name in "out.gif", "out.webp":
            stylize_clip(content, [painting], tmp_path / name, None, tiny)
            written = (tmp_path / name).read_bytes()
            assert b"garden" not in written
            assert b"Erika" not in written


def test_the_recipe_is_in_the_file(tmp_path: Path, tiny: Path, painting: np.ndarray):
    for name in "out.gif", "out.webp", "out.mp4":
        report = stylize_clip(animation(), [painting], tmp_path / name, ClipOptions(strength=0.625), tiny)
        assert report.recipe["frames"] == 6
        written = (tmp_path / name).read_bytes()
        if name.endswith("gif"):  # whose comments are in pieces
            with Image.open(tmp_path / name) as image:
                written = image.info["comment"]
        assert b'"strength":0.625' in written
        assert report.recipe["weights_sha256"].encode() in written


def test_options_of_a_clip():
    options = ClipOptions.parse({"size": "own", "steady": "yes", "weights": "2,1", "smooth": "0.5"})
    assert options.blend_weights(2) == pytest.approx([2 / 3, 1 / 3])
    assert options.frame_options().steady
    for wrong in {"size": 4096}, {"smooth": 1.1}, {"tiles": "always"}:
        with pytest.raises(InvalidOption):
            ClipOptions.parse(wrong)


def test_the_public_door(tmp_path: Path, painting: np.ndarray, tiny: Path):
    report = transfer_clip(animation(), painting, tmp_path / "out.gif", tiny, strength=0.5, size=None)
    assert (report.frames, report.recipe["strength"]) == (len(lossless(tmp_path / "out.gif")), 0.5)
    with pytest.raises(InvalidOption, match="print"):
        transfer_clip(animation(), painting, tmp_path / "out.gif", tiny, print="6x4in")
