"""python -m model train: train a network of its own for a style."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from model.cli import arguments, console
from model.cli.runtime import graceful_interrupt, load_tensorflow
from model.errors import InvalidOption
from model.imaging import image_files
from model.options import TrainOptions
from model.pipelines.style_training import TRAINING_BYTES, TrainedStyle, train_style
from model.progress import Cancelled, Step
from model.style_file import SUFFIX

STATE_SUFFIX = ".training"  # of the folder beside the output that keeps an unfinished training


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = "Control-C ends it with what has been learnt; the same command then goes on from there."
    parser.add_argument("painting", type=arguments.style_path, nargs="+", help="of several the look is averaged")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"the style file, as in mine{SUFFIX}")
    parser.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        default=[],
        help="pictures, or folders of them, to learn on; left out: pictures that are made for it",
    )
    parser.add_argument("--sample", type=Path, help="a picture that shows now and then how it paints")
    parser.add_argument("--name", help="left out: the output's")
    parser.add_argument("--credit", default="", help="who made the artwork")
    parser.add_argument("--licence", default="", help="what may be done with it")
    arguments.add_options(parser, TrainOptions)
    arguments.add_model(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; Control-C keeps the network so far, and a second one none."""
    options = TrainOptions.parse(arguments.given_options(args, TrainOptions))
    _check_paths(args)
    print(_forecast(options))
    load_tensorflow()
    folder = args.output.with_name(args.output.name + STATE_SUFFIX)
    trained = _train(args, options, folder)
    image_files.write_bytes(args.output, trained.style.to_bytes())
    if trained.complete and folder.is_dir():
        folder.rmdir()
    print(_summary(args.output, trained))
    console.print_notes(trained.notes)
    return 0


def _check_paths(args: argparse.Namespace) -> None:
    for painting in args.painting:
        if painting.is_dir():
            raise InvalidOption(f"painting must be a picture; '{painting}' is a folder.", "painting")
    arguments.check_overwrites(args.output, [*args.painting, *args.photos])
    if args.sample:
        arguments.output_format(args.sample, arguments.FORMAT_BY_SUFFIX, "--sample")
        arguments.check_overwrites(args.sample, [*args.painting, *args.photos, args.output], "--sample")


def _train(args: argparse.Namespace, options: TrainOptions, folder: Path) -> TrainedStyle:
    texts = {"name": args.name or args.output.name.split(".")[0], "credit": args.credit, "licence": args.licence}
    with tqdm(unit="step") as bar, graceful_interrupt() as stopped:

        def on_step(step: Step) -> None:
            bar.total, bar.n = step.steps, step.step
            left = f"about {console.format_duration(step.seconds_left or 0)} left"
            losses = ", ".join(f"{name} {loss:.3f}" for name, loss in step.losses.items())
            bar.set_postfix_str(f"{losses}, {left}", refresh=False)
            bar.update(0)
            if args.sample and step.preview:
                format = arguments.picture_format(args.sample)
                image_files.write_bytes(args.sample, image_files.encode(step.preview, format))
            if stopped.is_set():
                raise Cancelled

        return train_style(args.painting, options, args.photos, args.model, on_step, folder, **texts)


def _forecast(options: TrainOptions) -> str:
    steps = f"{options.steps} steps"
    time = f"{steps}, or {console.format_duration(options.seconds)} at most" if options.seconds else steps
    return f"It takes {time}, and about {TRAINING_BYTES / 1e9:.0f} GB of memory."


def _summary(output: Path, trained: TrainedStyle) -> str:
    losses = ", ".join(
        f"{name} {trained.first_losses[name]:.3f} -> {last:.3f}" for name, last in trained.last_losses.items()
    )
    time = console.format_duration(trained.seconds)
    ended = "" if trained.complete else " so far; the same command goes on from here"
    return f"{output}: {trained.steps} steps in {time}, judge {trained.judge}, {losses}{ended}"
