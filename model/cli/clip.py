"""python -m model clip: paint an animation or a video."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from model.cli import arguments, console
from model.cli.runtime import graceful_interrupt, load_tensorflow
from model.options import ClipOptions
from model.pipelines import clips
from model.progress import Cancelled, Step

SUMMARY = "{output}: {frames} frames of {width} x {height} pixels, {seconds} s, weights {weights}"
EXIT_INTERRUPTED = 130  # as after any Control-C


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "Stopped with Control-C, the same command goes on where it was."
    parser.add_argument("clip", type=Path, help="a GIF, an animated WebP, or a video")
    parser.add_argument("painting", type=arguments.style_path, nargs="+", help="the style; several are blended")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"a {', '.join(clips.SUFFIXES)}")
    arguments.add_options(parser, ClipOptions)
    arguments.add_model(parser)
    arguments.add_json(parser, "a clip")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    arguments.output_format(args.output, dict.fromkeys(clips.SUFFIXES), "--output")
    arguments.check_overwrites(args.output, [args.clip, *args.painting])
    options = ClipOptions.parse(arguments.given_options(args, ClipOptions))
    options.blend_weights(len(args.painting))
    load_tensorflow()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    clip = _stylize_clip(args, options)
    report = {"clip": str(args.clip), "output": str(args.output)} | asdict(clip) | {"seconds": round(clip.seconds, 2)}
    if args.json:
        print(json.dumps(report), flush=True)
    else:
        if clip.complete:
            print(SUMMARY.format(**report))
        console.print_notes(clip.notes)
    return 0 if clip.complete else EXIT_INTERRUPTED


def _stylize_clip(args: argparse.Namespace, options: ClipOptions) -> clips.ClipReport:
    with console.progress_bar(disable=args.json) as show_step, graceful_interrupt() as stopped:
        is_first = True

        def on_step(step: Step) -> None:
            nonlocal is_first
            if is_first and step.step > 1 and not args.json:
                tqdm.write(f"note: Frames 1 to {step.step - 1} were painted before; going on.", file=sys.stderr)
            is_first = False
            show_step(step)
            if stopped.is_set():
                raise Cancelled

        return clips.stylize_clip(args.clip, args.painting, args.output, options, args.model, on_step)
