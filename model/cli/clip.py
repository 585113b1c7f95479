"""python -m model clip: an animation or a video, frame by frame."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from model import clips
from model.cli import files, flags, reports, times
from model.cli.quiet import load_tensorflow
from model.cli.stopping import stopped_gently
from model.options import ClipOptions
from model.progress import Cancelled, Step

SUMMARY = "{output}: {frames} frames of {width} x {height} pixels, {seconds} s, weights {weights}"
STOPPED = 130  # exit status, as after any Control-C


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "Stopped with Control-C, the same command goes on where it was."
    parser.add_argument("clip", type=Path, help="a GIF, an animated WebP, or a video")
    parser.add_argument("painting", type=Path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"a {', '.join(clips.ENDINGS)}")
    flags.add(parser, ClipOptions)
    flags.add_model(parser)
    flags.add_json(parser, "a clip")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    files.kind(args.output, dict.fromkeys(clips.ENDINGS), "--output")
    files.check_overwrites(args.output, [args.clip, *args.painting])
    options = ClipOptions.parse(flags.given(args, ClipOptions))
    options.blend_weights(len(args.painting))
    load_tensorflow()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    made = _painted(args, options)
    report = {"clip": str(args.clip), "output": str(args.output)} | asdict(made) | {"seconds": round(made.seconds, 2)}
    if args.json:
        print(json.dumps(report), flush=True)
    else:
        if made.complete:
            print(SUMMARY.format(**report))
        reports.say(made.notes)
    return 0 if made.complete else STOPPED


def _painted(args: argparse.Namespace, options: ClipOptions) -> clips.Report:
    with times.bar(disable=args.json) as shown, stopped_gently() as stopped:
        is_first = True

        def on_step(step: Step) -> None:
            nonlocal is_first
            if is_first and step.step > 1 and not args.json:
                tqdm.write(f"note: Frames 1 to {step.step - 1} were painted before; going on.", file=sys.stderr)
            is_first = False
            shown(step)
            if stopped.is_set():
                raise Cancelled

        return clips.stylize_clip(args.clip, args.painting, args.output, options, args.model, on_step)
