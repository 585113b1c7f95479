"""How much closer a refinement comes to the painting than the pastiche it starts from, and what it costs in content.

    STYLE_MODEL_DIR=FOLDER python -m bench.fidelity --pairs FOLDER [--first 8]

FOLDER/content and FOLDER/style hold photos and paintings, paired in sorted order. Full VGG19 judges: relative errors of
Gram matrices, mean over conv1_1 to conv5_1, and of features at conv4_2. Prints a line for each pair, writes a table to
docs/fidelity.md and, where asked for, contact sheets to look at.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench._measure import ROOT, on_the_processor
from model import refine, stylize
from model.imaging import image_files
from model.options import RefineOptions
from model.refinement import encoder_registry
from model.refinement.losses import relative_error
from training.scores import VGG19Judge, style_loss
from training.sheet import contact_sheet

RUNS = {
    "`best`, VGG19": {"preset": "best", "encoder": "vgg19"},
    "`balanced`, vgg19-slim": {"preset": "balanced", "encoder": encoder_registry.SLIM},
    "`fast`, vgg19-slim": {"preset": "fast"},
}
ROWS = 6  # of a contact sheet


@dataclass(frozen=True)
class Losses:
    style: float
    content: float


class Pair:
    """A photo and a painting (H, W, 3), as VGG19 sees them: what pictures of the two are judged by."""

    def __init__(self, judge: VGG19Judge, photo: np.ndarray, painting: np.ndarray) -> None:
        self.judge = judge
        self.features = judge.predict_on_batch(photo[None])[-1]
        self.grams = judge.predict_on_batch(painting[None])[:-1]

    def losses(self, picture: np.ndarray) -> Losses:
        *grams, features = self.judge.predict_on_batch(picture[None])
        return Losses(style_loss(grams, self.grams), float(relative_error(features, self.features)[0]))


@dataclass(frozen=True)
class Outcome:
    picture: np.ndarray
    before: Losses
    after: Losses
    seconds: float

    @property
    def shares(self) -> tuple[float, float]:
        """Style and content loss as shares of the pastiche's."""
        return self.after.style / self.before.style, self.after.content / self.before.content


def pairs(folder: Path, side: int) -> list[tuple[np.ndarray, np.ndarray]]:
    photos, paintings = (sorted((folder / kind).glob("*.jpg")) for kind in ("content", "style"))
    return [
        (image_files.read(photo, long_side=side).rgb, image_files.read(painting, long_side=side).rgb)
        for photo, painting in zip(photos, paintings, strict=True)
    ]


def outcomes(photo: np.ndarray, painting: np.ndarray, pair: Pair, runs: list[str]) -> dict[str, Outcome]:
    pastiche = stylize(photo, [painting]).picture.rgb
    before, found = pair.losses(pastiche), {}
    for name in runs:
        options = RefineOptions.parse({"size": max(photo.shape)} | RUNS[name])
        start = time.perf_counter()
        picture = refine(photo, [painting], options, start=pastiche).picture.rgb
        found[name] = Outcome(picture, before, pair.losses(picture), time.perf_counter() - start)
    return found


def table(found: list[dict[str, Outcome]]) -> str:
    """In Markdown."""
    lines = [
        "| | style loss | content loss | style, share | content, share | seconds |",
        "|---|---|---|---|---|---|",
        _row("feed-forward", [next(iter(pair.values())).before for pair in found], "1 | 1 | "),
    ]
    for name in found[0]:
        mine = [pair[name] for pair in found]
        style, content = zip(*(outcome.shares for outcome in mine), strict=True)
        spread = f"{np.mean(style):.3f} ({min(style):.3f} to {max(style):.3f}) | {np.mean(content):.2f} "
        spread += f"({min(content):.2f} to {max(content):.2f}) | {np.median([one.seconds for one in mine]):.0f}"
        lines.append(_row(name, [outcome.after for outcome in mine], spread))
    return "\n".join(lines)


def _row(name: str, scores: list[Losses], rest: str) -> str:
    style, content = (np.mean([getattr(score, field) for score in scores]) for field in ("style", "content"))
    return f"| {name} | {style:.4f} | {content:.3f} | {rest} |"


def page(size: int, count: int, measured: str) -> str:
    return f"""# How much a refinement gains

Mean over {count} pairs of a photo and a painting, {size} pixels long, that nothing here was trained on. Each refinement
starts from the feed-forward pastiche of the weights that ship. Losses are full VGG19's, whichever encoder guided the
refinement: the relative error of Gram matrices, mean over conv1_1 to conv5_1, and of features at conv4_2. Shares are of
the feed-forward pastiche's own losses: mean, and in brackets the smallest and the largest. Seconds are the median of a
refinement on this machine's processor, with everything else that ran on it, so only good for comparing.

{measured}

Made by `python -m bench.fidelity`.
"""


def sheets(folder: Path, rows: list[list[np.ndarray]], titles: list[str]) -> None:
    for start in range(0, len(rows), ROWS):
        sheet = contact_sheet(rows[start : start + ROWS], titles, tile=384)
        sheet.save(folder / f"fidelity-{start // ROWS + 1}.jpg", quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="folder with content/ and style/")
    parser.add_argument("--first", type=int, help="how many pairs; left out, all")
    parser.add_argument("--size", type=int, default=384, help="long side in pixels")
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/fidelity.md")
    args = parser.parse_args()
    if not (args.pairs and encoder_registry.find("vgg19")):
        print("Needs --pairs, and VGG19's weights on this machine as the judge: nothing is measured.")
        return
    on_the_processor()
    judge = VGG19Judge(str(encoder_registry.find("vgg19")))
    found, rows = [], []
    for photo, painting in pairs(args.pairs, args.size)[: args.first]:
        found.append(outcomes(photo, painting, Pair(judge, photo, painting), args.runs))
        rows.append([photo, painting, stylize(photo, [painting]).picture.rgb, *(o.picture for o in found[-1].values())])
        told = [f"{name} {o.shares[0]:.3f} {o.shares[1]:.2f} {o.seconds:.0f} s" for name, o in found[-1].items()]
        print(len(found), *told, sep="  ", flush=True)
    measured = table(found)
    print(measured)
    args.out.write_text(page(args.size, len(found), measured), "utf-8")
    if args.sheets:
        sheets(args.sheets, rows, ["photo", "painting", "feed-forward", *args.runs])


if __name__ == "__main__":
    main()
