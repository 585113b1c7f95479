"""The command line, python -m model; each command is a file in cli/."""

from __future__ import annotations

import argparse
import atexit
import gc
import sys

from model import settings
from model.cli import clip, doctor, refine, rerun, sheet, stylize, train, vector, weights
from model.errors import InvalidOption, StyleTransferError

COMMANDS = {
    "stylize": (stylize, "paint a photo, or a folder of them"),
    "refine": (refine, "optimise a pastiche step by step: slower, and closer to the painting"),
    "sheet": (sheet, "many small pastiches of one photo on one sheet, to choose from"),
    "clip": (clip, "paint an animation or a video"),
    "train": (train, "teach the network one painting: minutes once, then at once and closer to the painting"),
    "rerun": (rerun, "make a pastiche again, from the recipe that it carries"),
    "vector": (vector, "keep a style as a small file, without the artwork"),
    "weights": (weights, "the networks' weights on this machine"),
    "doctor": (doctor, "check this machine and say how to mend what is wrong"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 something failed and was reported, 2 wrong usage."""
    settings.quieten_tensorflow()
    args = _build_parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except StyleTransferError as error:
        print(f"error: {_error_message(error, args)}", file=sys.stderr)
        return 2 if isinstance(error, InvalidOption) else 1
    except KeyboardInterrupt:
        return 130


def _error_message(error: StyleTransferError, args: argparse.Namespace) -> str:
    """Prefix the flag at fault, where the sentence does not name it."""
    is_flag = error.field in vars(args) and error.field not in str(error)
    return f"--{str(error.field).replace('_', '-')}: {error}" if is_flag else str(error)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model", description="Paint photos in the style of paintings.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (command, summary) in COMMANDS.items():
        command.add(commands.add_parser(name, help=summary))
    return parser


if __name__ == "__main__":
    atexit.register(gc.freeze)  # saves the garbage collector up to a second among TensorFlow's objects
    sys.exit(main())
