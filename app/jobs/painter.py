"""The interface through which the server calls the library's pipelines, and its implementation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from model.imaging.image_files import ImageSource
from model.options import RefineOptions, SheetOptions, StylizeOptions, TrainOptions
from model.pipelines import contact_sheets, forecast, refine, style_training, stylization
from model.pipelines.contact_sheets import ContactSheet
from model.pipelines.forecast import Forecast
from model.pipelines.style_training import TrainedStyle
from model.pipelines.stylization import Pastiche, StylizeReport
from model.progress import Checkpoint, OnStep


class Painter(Protocol):
    """What the server needs of `model.pipelines`; arguments, results and errors are those of the functions there."""

    def warm_up(self) -> str:
        """Load the weights and return their name."""
        ...

    def weights_identity(self) -> tuple[str, str]:
        """Return name and sha256 of the weights."""
        ...

    def style_vector(self, style: ImageSource) -> np.ndarray: ...

    def stylize(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche: ...

    def stylize_file(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        output: Path,
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
        edit_recipe: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> StylizeReport: ...

    def refine(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: RefineOptions,
        *,
        start: ImageSource | None = None,
        on_step: OnStep | None = None,
        resume: Checkpoint | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche: ...

    def make_contact_sheet(
        self, content: ImageSource, styles: Sequence[ImageSource], options: SheetOptions, names: Sequence[str] = ()
    ) -> ContactSheet: ...

    def train(
        self, painting: ImageSource, options: TrainOptions, *, name: str, folder: Path, on_step: OnStep
    ) -> TrainedStyle:
        """Train a network for one painting; `folder` has the state, from which the next call goes on."""
        ...

    def estimate(self, width: int, height: int, options: StylizeOptions, masks: int = 0) -> Forecast:
        """Return time and memory for a photo of so many pixels."""
        ...


class LibraryPainter:
    """Paint with the default weights of this process; the first call that needs them loads TensorFlow."""

    def warm_up(self) -> str:
        return stylization.warm_up()

    def weights_identity(self) -> tuple[str, str]:
        return stylization.weights_identity()

    def style_vector(self, style: ImageSource) -> np.ndarray:
        return stylization.style_vector(style)

    def stylize(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche:
        return stylization.stylize(content, styles, options, on_step=on_step, masks=masks)

    def stylize_file(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        output: Path,
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
        edit_recipe: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> StylizeReport:
        return stylization.stylize_file(
            content, styles, output, options, on_step=on_step, masks=masks, edit_recipe=edit_recipe
        )

    def refine(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: RefineOptions,
        *,
        start: ImageSource | None = None,
        on_step: OnStep | None = None,
        resume: Checkpoint | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche:
        return refine.refine(content, styles, options, start=start, on_step=on_step, resume=resume, masks=masks)

    def make_contact_sheet(
        self, content: ImageSource, styles: Sequence[ImageSource], options: SheetOptions, names: Sequence[str] = ()
    ) -> ContactSheet:
        return contact_sheets.make_contact_sheet(content, styles, options, names)

    def train(
        self, painting: ImageSource, options: TrainOptions, *, name: str, folder: Path, on_step: OnStep
    ) -> TrainedStyle:
        return style_training.train_style([painting], options, name=name, on_step=on_step, folder=folder)

    def estimate(self, width: int, height: int, options: StylizeOptions, masks: int = 0) -> Forecast:
        return forecast.estimate(width, height, options, masks)
