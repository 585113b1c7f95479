"""python -m model vector: keep a style as a small file, without the artwork."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.cli import arguments
from model.cli.runtime import load_tensorflow
from model.imaging import image_files
from model.options import StylizeOptions
from model.pipelines.stylization import make_style_file
from model.style_file import SUFFIX


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("painting", type=arguments.style_path, nargs="+", help="of several the average is kept")
    parser.add_argument("-o", "--output", type=Path, required=True, help=f"as in flow{SUFFIX}")
    parser.add_argument("--name", help="left out: the output's")
    parser.add_argument("--credit", default="", help="who made the artwork")
    parser.add_argument("--licence", default="", help="what may be done with it")
    parser.add_argument("--weights", metavar="N,N,…", help=StylizeOptions.model_fields["weights"].description)
    arguments.add_model(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = StylizeOptions.parse({"weights": args.weights} if args.weights else {})
    shares = options.blend_weights(len(args.painting))
    load_tensorflow()
    texts = {"name": args.name or args.output.name.split(".")[0], "credit": args.credit, "licence": args.licence}
    file = make_style_file(args.painting, shares, args.model, **texts)
    image_files.write_bytes(args.output, file.to_bytes())
    print(f"{args.output}: {file.vector.size} numbers of the weights {file.weights}")
    return 0
