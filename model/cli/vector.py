"""python -m model vector: a style as a small file."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.cli import files, flags
from model.cli.quiet import load_tensorflow
from model.options import StylizeOptions
from model.transfer import style_file
from model.vectors import SUFFIX


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("painting", type=Path, nargs="+", help="a picture; of several the average is kept")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"as in flow{SUFFIX}")
    parser.add_argument("--name", help="left out: the output's")
    parser.add_argument("--credit", default="", help="who made the artwork")
    parser.add_argument("--licence", default="", help="what may be done with it")
    parser.add_argument("--weights", metavar="N,N,…", help=StylizeOptions.model_fields["weights"].description)
    flags.add_model(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = StylizeOptions.parse({"weights": args.weights} if args.weights else {})
    shares = options.blend_weights(len(args.painting))
    load_tensorflow()
    about = {"name": args.name or args.output.name.split(".")[0], "credit": args.credit, "licence": args.licence}
    file = style_file(args.painting, shares, args.model, **about)
    files.write(args.output, file.to_bytes())
    print(f"{args.output}: {file.vector.size} numbers of the weights {file.weights}")
    return 0
