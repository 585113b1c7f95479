"""What the doors share, on the weights that ship: properties that better weights keep."""

from __future__ import annotations

import base64
import io
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from API import transfer_style
from model import Pastiche, StylizeOptions, style_vector, stylize
from model.errors import BrokenImage, ImageError, InvalidOption, UnsupportedImage, WeightsBroken, WeightsMissing
from model.inference import magenta
from model.options import DEFAULT_SIDE, MAX_SIDE
from model.pipelines import stylization
from model.pipelines.stylization import stylize_file
from model.weights import npz, registry
from tests.support.saved_model import build

OPTIONS = StylizeOptions(strength=0.5, size=64)
CHOSEN = StylizeOptions.model_fields.keys() - {"weights"}  # in a recipe, those are the network's


@pytest.fixture
def other(painting: np.ndarray) -> np.ndarray:
    """Another painting: large blocks, few colours."""
    return np.kron(np.random.default_rng(1).random((6, 8, 3)), np.ones((16, 16, 1))).astype("float32")


@pytest.fixture
def network() -> magenta.Magenta:
    """The one that `stylize` uses by default."""
    return magenta.load(registry.choose(None))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def test_a_pastiche(photo: np.ndarray, painting: np.ndarray):
    pastiche = transfer_style(photo, painting)
    assert (pastiche.shape, pastiche.dtype) == (photo.shape, np.float32)
    assert 0 <= pastiche.min() < pastiche.max() <= 1
    assert pastiche.std() > 0.02
    assert difference(pastiche, photo) > 0.02
    assert difference(pastiche, painting) > 0.02


def test_the_same_pictures_give_the_same_pixels(photo: np.ndarray, painting: np.ndarray):
    assert np.array_equal(transfer_style(photo, painting), transfer_style(photo.copy(), painting.copy()))


def test_what_is_given_is_not_changed(photo: np.ndarray, painting: np.ndarray):
    before = photo.copy(), painting.copy()
    transfer_style(photo, painting)
    assert np.array_equal(before, (photo, painting))


def test_the_painting_decides(photo: np.ndarray, painting: np.ndarray, other: np.ndarray):
    assert difference(transfer_style(photo, painting), transfer_style(photo, other)) > 0.02


def test_every_kind_of_picture_is_the_same_picture(
    photo: np.ndarray, painting: np.ndarray, photo_png: bytes, painting_png: bytes, tmp_path: Path
):
    path = tmp_path / "photo.png"
    path.write_bytes(photo_png)
    painted = np.asarray(Image.open(io.BytesIO(painting_png)))
    expected = transfer_style(photo_png, painted)
    assert difference(expected, transfer_style(photo, painting)) < 0.01  # eight bits against floats
    for content in (path, str(path), io.BytesIO(photo_png), Image.open(path)):
        assert np.array_equal(transfer_style(content, painting_png), expected)


def test_strength(photo: np.ndarray, painting: np.ndarray):
    strengths = (0, 0.25, 0.5, 1, 1.5)
    none, quarter, half, full, more = (transfer_style(photo, painting, strength=strength) for strength in strengths)
    assert np.array_equal(none, photo)
    assert np.array_equal(full, transfer_style(photo, painting))
    changes = [difference(photo, pastiche) for pastiche in (none, quarter, half, full, more)]
    assert changes == sorted(changes)
    assert changes[3] > 0.02


def test_no_strength_leaves_a_file_s_photo_as_it_is(tmp_path: Path, photo_png: bytes, painting_png: bytes):
    file = tmp_path / "same.png"
    stylize_file(photo_png, [painting_png], file, StylizeOptions(strength=0))
    assert np.array_equal(np.asarray(Image.open(file)), np.asarray(Image.open(io.BytesIO(photo_png))))


@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_size_is_the_long_side(photo: np.ndarray, painting: np.ndarray, kind: str):
    content = (photo * (255 if kind == "uint8" else 1)).astype(kind)
    assert transfer_style(content, painting).shape == (96, 128, 3)
    assert transfer_style(content, painting, size=64).shape == (48, 64, 3)
    assert transfer_style(content, painting, size=200).shape == (150, 200, 3)
    assert transfer_style(content[:, :33], painting, size=50).shape == (50, 17, 3)


def test_without_size_a_photo_keeps_its_own_up_to_a_limit(painting: np.ndarray):
    stripe = np.linspace(0, 1, 3 * (DEFAULT_SIDE + 100) * 3, dtype="float32").reshape(3, -1, 3)
    assert transfer_style(stripe, painting).shape == (3, DEFAULT_SIDE, 3)
    assert transfer_style(stripe[:, :DEFAULT_SIDE], painting).shape == (3, DEFAULT_SIDE, 3)
    assert transfer_style(stripe, painting, size=DEFAULT_SIDE + 50).shape == (3, DEFAULT_SIDE + 50, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (33, 47), (31, 97)])
def test_odd_photos_and_odd_paintings(photo: np.ndarray, painting: np.ndarray, size: tuple[int, int]):
    height, width = size
    odd = np.resize(photo, (height, width, 3))
    assert transfer_style(odd, painting).shape == (height, width, 3)
    assert transfer_style(photo, odd).shape == photo.shape


def test_alpha_is_kept_beside_the_pastiche(photo: np.ndarray, painting: np.ndarray):
    alpha = np.linspace(0, 1, 128, dtype="float32")[None].repeat(96, axis=0)
    pastiche = stylize(np.dstack([photo, alpha]), [painting])
    assert pastiche.picture.rgb.shape == (96, 128, 3)
    assert np.allclose(pastiche.picture.alpha, alpha)
    small = stylize(np.dstack([photo, alpha]), [painting], StylizeOptions(size=64))
    assert small.picture.alpha.shape == (48, 64)
    assert stylize(photo, [painting]).picture.alpha is None


def test_colours_and_places_stay_where_they_are(photo: np.ndarray):
    """At the photo's own look, what is light stays light, and what is red stays red."""
    own = transfer_style(photo, photo)
    for channel in range(3):
        assert np.corrcoef(own[..., channel].ravel(), photo[..., channel].ravel())[0, 1] > 0.2


def test_a_blend_is_neither_of_its_styles(photo: np.ndarray, painting: np.ndarray, other: np.ndarray):
    one, two = transfer_style(photo, painting), transfer_style(photo, other)
    both = transfer_style(photo, [painting, other])
    assert np.array_equal(both, transfer_style(photo, (painting, other), weights=(3, 3)))
    assert min(difference(both, one), difference(both, two)) > 0.01
    mostly = transfer_style(photo, [painting, other], weights=[9, 1])
    assert difference(mostly, one) < difference(both, one)


def test_a_blend_of_all_and_nothing_is_the_one(photo: np.ndarray, painting: np.ndarray, other: np.ndarray):
    one, two = transfer_style(photo, painting), transfer_style(photo, other)
    assert np.allclose(transfer_style(photo, [painting, other], weights=[1, 0]), one, atol=1e-5)
    assert np.allclose(transfer_style(photo, [painting, other], weights=np.array([0, 0.1])), two, atol=1e-5)


def test_a_style_vector_stands_for_its_painting(photo: np.ndarray, painting: np.ndarray, other: np.ndarray):
    vector = style_vector(painting)
    assert (vector.ndim, vector.dtype) == (1, np.float32)
    assert np.array_equal(transfer_style(photo, vector), transfer_style(photo, painting))
    assert np.array_equal(transfer_style(photo, [vector, other]), transfer_style(photo, [painting, other]))
    assert np.array_equal(transfer_style(photo, vector.astype("float64")), transfer_style(photo, painting))


def test_a_style_vector_is_its_owner_s(photo: np.ndarray, painting: np.ndarray):
    before = transfer_style(photo, painting)
    style_vector(painting)[:] = 0
    assert np.array_equal(transfer_style(photo, painting), before)


def test_numbers_that_are_no_style_vector(photo: np.ndarray, painting: np.ndarray):
    vector = style_vector(painting)
    nan, enormous = np.where(vector == vector[0], np.nan, vector), np.full(len(vector), 1e300)
    wrong = [vector[:-1], vector[:0], np.zeros(len(vector), int), vector > 0, nan, enormous, vector + 0j]
    for style in wrong:
        with pytest.raises(InvalidOption, match="style_vector") as caught:
            transfer_style(photo, style)
        assert caught.value.field == "style"


def test_the_second_time_the_predictor_does_not_run(photo: np.ndarray, painting: np.ndarray, network: magenta.Magenta):
    painting = painting[5:]  # nobody has painted with this one yet
    runs = network.predictor_runs
    transfer_style(photo, painting)
    assert network.predictor_runs == runs + 1
    transfer_style(photo, painting.copy())
    transfer_style(photo[:50], [painting, style_vector(painting)])
    assert network.predictor_runs == runs + 1


def test_threads_give_what_one_after_the_other_gives(photo: np.ndarray, painting: np.ndarray):
    def one(index: int) -> np.ndarray:
        return transfer_style(photo[index:], painting[index:], size=64, strength=1 - index / 10)

    alone = [one(index) for index in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert all(np.array_equal(*pair) for pair in zip(threads.map(one, range(8)), alone, strict=True))


def test_weights_are_loaded_at_the_first_picture_only(
    photo: np.ndarray, painting: np.ndarray, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    loaded = []
    real = npz.read_weights
    monkeypatch.setattr(magenta, "read_weights", lambda path: loaded.append(Path(path)) or real(path))
    fresh = Path(shutil.copy(tiny, tmp_path / "fresh.npz"))
    with pytest.raises(UnsupportedImage):
        transfer_style(b"no picture", painting, fresh)
    assert loaded == []
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: transfer_style(photo, painting, fresh), range(8)))
    assert loaded == [fresh]


def test_the_result_tells_how_it_was_made(photo: np.ndarray, painting: np.ndarray, network: magenta.Magenta):
    vector = style_vector(painting)
    pastiche = stylize(photo, [painting, vector], OPTIONS.model_copy(update={"weights": [3, 1]}))
    assert isinstance(pastiche, Pastiche)
    assert pastiche.weights == network.name == "magenta-small" == stylization.warm_up()
    assert pastiche.seconds > 0
    first, second = pastiche.recipe.pop("styles")
    assert first["vector_sha256"] == second["vector_sha256"]
    assert (first["weight"], second["weight"]) == (0.75, 0.25)
    assert len(first["sha256"]) == 64
    assert "sha256" not in second  # of numbers there is no picture
    assert np.array_equal(np.frombuffer(base64.b64decode(second["vector"]), "<f4"), vector)
    expected = {"method": "magenta", "weights": network.name, "weights_sha256": network.sha256}
    expected |= {"strength": 0.5, "size": 64, "width": 64, "height": 48}
    assert expected.items() <= pastiche.recipe.items()
    assert StylizeOptions.parse({name: pastiche.recipe[name] for name in CHOSEN & pastiche.recipe.keys()}) == OPTIONS
    assert pastiche.recipe["versions"]["numpy"] == np.__version__


def test_weights_that_are_given(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    for given in (tiny, str(tiny)):
        assert stylize(photo, [painting], model_path=given).weights == "tiny"
    assert len(style_vector(painting, tiny)) == 8
    named = transfer_style(photo, painting, "magenta-small")
    assert np.array_equal(named, transfer_style(photo, painting))
    assert not np.array_equal(named, transfer_style(photo, painting, tiny))


def test_a_vector_belongs_to_its_weights(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    with pytest.raises(InvalidOption, match="weights 'magenta-small'"):
        transfer_style(photo, style_vector(painting, tiny))


def test_the_official_model(shared: Path, photo: np.ndarray, painting: np.ndarray, tmp_path: Path):
    folder = build(shared / "weights" / "magenta_graph", tmp_path / "saved_model")
    pastiche = stylize(photo[:33, :47], [painting], model_path=folder)
    assert pastiche.weights == "magenta-v1-256"
    assert pastiche.picture.rgb.shape == (33, 47, 3)
    assert len(style_vector(painting, folder)) == 768


def test_weights_that_are_not_there(photo: np.ndarray, painting: np.ndarray, tmp_path: Path):
    with pytest.raises(WeightsMissing, match="nowhere") as caught:
        transfer_style(photo, painting, tmp_path / "nowhere.npz")
    assert caught.value.field == "model_path"


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_weights_cut_short(photo: np.ndarray, painting: np.ndarray, tiny: Path, tmp_path: Path, share: float):
    path = tmp_path / "short.npz"
    path.write_bytes(tiny.read_bytes()[: int(share * tiny.stat().st_size)])
    with pytest.raises(WeightsBroken, match=r"short\.npz") as caught:
        transfer_style(photo, painting, path)
    assert caught.value.field == "model_path"


def test_a_zip_of_something_else(photo: np.ndarray, painting: np.ndarray, tmp_path: Path):
    np.savez(tmp_path / "else.npz", numbers=np.arange(3))
    with pytest.raises(WeightsBroken, match=r"'else\.npz' is not a weights file"):
        transfer_style(photo, painting, tmp_path / "else.npz")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"strength": 1.6}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"strength": True}, "strength"),
        ({"size": 31}, "size"),
        ({"size": MAX_SIDE + 1}, "size"),
        ({"keep_colours": 2}, "keep_colours"),
        ({"colour": 1}, "colour"),
        ({"size": 64.5}, "size"),
        ({"weights": [1, 1]}, "weights"),
        ({"weights": [0]}, "weights"),
        ({"weights": [-1]}, "weights"),
        ({"weights": 0.5}, "weights"),
    ],
)
def test_arguments_outside_their_limits(photo: np.ndarray, painting: np.ndarray, options: dict, field: str):
    with pytest.raises(InvalidOption, match=field) as caught:
        transfer_style(photo, painting, **options)
    assert caught.value.field == field


def test_options_of_numpy_s_types(photo: np.ndarray, painting: np.ndarray):
    options = {"strength": np.float32(0.5), "size": np.int64(64), "weights": np.array([2], "float32")}
    assert transfer_style(photo, painting, **options).shape == (48, 64, 3)


@pytest.mark.parametrize("count", [0, 9])
def test_too_few_and_too_many_styles(photo: np.ndarray, painting: np.ndarray, count: int):
    with pytest.raises(InvalidOption, match="between 1 and 8 styles") as caught:
        transfer_style(photo, [painting] * count)
    assert caught.value.field == "style"


@pytest.mark.parametrize("source", [None, 7, "nowhere.jpg", b"", b"no picture", np.zeros((2, 2, 5)), np.zeros(100)])
def test_what_is_no_photo(painting: np.ndarray, source: object):
    with pytest.raises(UnsupportedImage, match="content") as caught:
        transfer_style(source, painting)
    assert caught.value.field == "content"


def test_bad_pictures_are_refused_by_name_before_any_is_painted(
    photo: np.ndarray, painting_png: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stylization, "load_network", lambda _: pytest.fail("the network was loaded"))
    cut = painting_png[: len(painting_png) // 2]
    with pytest.raises(BrokenImage, match="style"):
        transfer_style(photo, [painting_png, cut])
    with pytest.raises(ImageError, match="content"):
        transfer_style(cut, painting_png)


def test_what_is_ready_has_painted_once(network: magenta.Magenta, monkeypatch: pytest.MonkeyPatch):
    painted: list[tuple[int, ...]] = []
    real = network.render
    monkeypatch.setattr(
        network, "render", lambda content, vector: painted.append(content.shape) or real(content, vector)
    )
    assert stylization.warm_up() == network.name
    assert painted == [(64, 64, 3)]
