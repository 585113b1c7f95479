"""`python -m app worker`: a worker for servers whose STYLE_WORKER is no."""

from __future__ import annotations

import argparse
import logging
import os

from sqlalchemy.exc import SQLAlchemyError

from app import create_services
from app.jobs.painter import LibraryPainter, Painter
from app.jobs.worker import Worker
from app.settings import Settings


def main(painter: Painter | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m app", description="The server's other programs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("worker", help="paint jobs until SIGTERM; reads the same STYLE_... variables as the server")
    parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("app").setLevel(logging.INFO)
    try:
        worker = create_services(Settings.from_environment(), painter or LibraryPainter())["worker"]
    except (ValueError, SQLAlchemyError) as error:
        parser.error(str(error))
    assert isinstance(worker, Worker)
    worker.run()
    logging.shutdown()
    os._exit(0)  # all jobs are given back; a thread inside TensorFlow would abort a process that waits for it


if __name__ == "__main__":
    main()
