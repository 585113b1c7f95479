"""How fast an optimisation gets how far: ours against the plain loop of TensorFlow's tutorial, in one run.

    STYLE_MODEL_DIR=FOLDER python -m bench.gatys    a folder that has VGG19's weights, unless Keras downloaded them

Both start from the photo at the same size. Seconds count from when the weights are loaded, so with tracing. Every
picture is judged afterwards by full VGG19: by the tutorial's own loss, and by the relative errors of Gram matrices and
content that do not depend on how anyone weighs layers. Prints a table, and writes it to docs/gatys.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from bench._measure import ROOT, on_the_processor
from model.hardware.device import cores
from model.imaging import image_files, pixel_ops
from model.options import RefineOptions
from model.progress import Cancelled, Step
from model.refinement import encoder_registry, gatys

STYLE = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT = "block5_conv2"
MARKS = (30, 60, 120)  # seconds
LOOKS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 45, 60, 90, 120)  # seconds at which ours may be as good already
OURS = {
    "ours, `fast`": {"preset": "fast"},
    "ours, `balanced` on VGG19": {"preset": "balanced", "encoder": "vgg19"},
}


@dataclass
class Course:
    """The pictures of one run, and when each was there."""

    seconds: list[float]
    pictures: list[np.ndarray]

    def at(self, mark: float) -> np.ndarray:
        """The last picture by then."""
        return self.pictures[max(0, sum(second <= mark for second in self.seconds) - 1)]

    @property
    def iteration(self) -> float:
        """Seconds in the mean, over all scales; the first, which traces, apart."""
        return float(np.mean([after - before for before, after in pairwise(self.seconds)]))


def tutorial(content: np.ndarray, style: np.ndarray) -> Iterator[np.ndarray]:
    """https://www.tensorflow.org/tutorials/generative/style_transfer, with its numbers."""
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    vgg.load_weights(encoder_registry.find("vgg19"))
    vgg.trainable = False
    extractor = keras.Model(vgg.input, [vgg.get_layer(name).output for name in (*STYLE, CONTENT)])

    def look(picture: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        *maps, last = extractor(keras.applications.vgg19.preprocess_input(picture * 255.0))
        grams = []
        for features in maps:
            positions = tf.cast(tf.shape(features)[1] * tf.shape(features)[2], tf.float32)
            grams.append(tf.einsum("bijc,bijd->bcd", features, features) / positions)
        return grams, last

    style_target, _ = look(tf.constant(style[None]))
    _, content_target = look(tf.constant(content[None]))
    picture = tf.Variable(content[None])
    optimizer = keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=0.1)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            grams, features = look(picture)
            style_loss = tf.add_n([tf.reduce_mean((g - t) ** 2) for g, t in zip(grams, style_target, strict=True)])
            content_loss = tf.reduce_mean((features - content_target) ** 2)
            loss = 1e-2 / len(STYLE) * style_loss + 1e4 * content_loss
            loss += 30.0 * tf.reduce_sum(tf.image.total_variation(picture))
        optimizer.apply_gradients([(tape.gradient(loss, picture), picture)])
        picture.assign(tf.clip_by_value(picture, 0.0, 1.0))

    optimizer.build([picture])
    while True:
        step()
        yield picture.numpy()[0]


def run_tutorial(content: np.ndarray, style: np.ndarray, clock: Callable[[], float]) -> Course:
    course, loop = Course([], []), tutorial(content, style)
    start = clock()
    while not course.seconds or course.seconds[-1] < MARKS[-1]:
        course.pictures.append(next(loop))
        course.seconds.append(clock() - start)
    return course


def run_ours(content: np.ndarray, style: np.ndarray, clock: Callable[[], float], **values: object) -> Course:
    options = RefineOptions.parse({"size": max(content.shape), "start": "content"} | values)
    course = Course([], [])
    gatys.objective(options)  # loads the weights, and traces nothing yet
    start = clock()

    def on_step(step: Step) -> None:
        course.pictures.append(step.preview.rgb)
        course.seconds.append(clock() - start)
        if course.seconds[-1] > MARKS[-1]:
            raise Cancelled

    gatys.optimise(content, [style], [1.0], content, options, on_step)
    return course


class Judge:
    """Full VGG19's losses of pictures: the tutorial's own; relative style; relative content."""

    def __init__(self, content: np.ndarray, style: np.ndarray) -> None:
        plain = {"encoder": "vgg19", "style_layers": list(STYLE), "content_weight": 1, "style_weight": 1}
        self.options = [RefineOptions.parse({"preset": "tutorial"}), RefineOptions.parse(plain)]
        self.objectives = [gatys.objective(options) for options in self.options]
        self.targets = [objective.targets(content, [style], [1.0]) for objective in self.objectives]
        self.size = content.shape[:2]

    def losses(self, picture: np.ndarray) -> tuple[float, float, float]:
        image = tf.constant(pixel_ops.resize(picture, self.size)[None])
        tutorials, relative = (
            objective.losses_and_gradient(image, targets, gatys.loss_weights(options))[0]
            for objective, targets, options in zip(self.objectives, self.targets, self.options, strict=True)
        )
        return tutorials["loss"], relative["style"], relative["content"]

    def reached(self, course: Course, style: float, content: float) -> float | None:
        """The first of LOOKS when both relative losses were as low as these."""
        for mark in LOOKS:
            _, *found = self.losses(course.at(mark))
            if found[0] <= style and found[1] <= content:
                return float(mark)
        return None


def table(courses: dict[str, Course], judge: Judge) -> str:
    """In Markdown; the first course is the tutorial's."""
    reference = next(iter(courses.values()))
    _, *goal = judge.losses(reference.at(MARKS[-1]))
    heads = [f"after {mark} s" for mark in MARKS]
    rows = [["", "seconds an iteration", *heads, "as good as the tutorial at the end"]]
    for name, course in courses.items():
        found = [judge.losses(course.at(mark)) for mark in MARKS]
        cells = [f"{style:.3f} · {content:.2f} · {own:.2g}" for own, style, content in found]
        seconds = MARKS[-1] if course is reference else judge.reached(course, *goal)
        rows.append([name, f"{course.iteration:.2f}", *cells, f"after {seconds:.0f} s" if seconds else "never"])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def page(size: int, clock: str, measured: str) -> str:
    return f"""# Refinement against TensorFlow's tutorial

Both optimise the same photo for the same painting, {size} pixels long, from the photo itself, on {cores()}
cores of the processor, one after the other in one run. Seconds count from when the weights are loaded, by
{clock}.

Each cell holds the relative style loss (mean over conv1_1 to conv5_1), the relative content loss (conv4_2), and the
loss that the tutorial itself lowers: all by full VGG19, and all the better the lower. The last column is about both
relative losses. Where ours ends before a time, its last picture counts.

{measured}

Made by `python -m bench.gatys`, which holds the tutorial's loop.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--content", type=Path, default=ROOT / "static/styles/cat.jpg")
    parser.add_argument("--style", type=Path, default=ROOT / "static/styles/flow.jpg")
    parser.add_argument("--size", type=int, default=512, help="long side in pixels")
    parser.add_argument("--busy", action="store_true", help="count the processor's time, where others share it")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/gatys.md")
    args = parser.parse_args()
    if not encoder_registry.find("vgg19"):
        print("VGG19's weights are not on this machine: there is nothing to compare with.")
        return
    on_the_processor()
    content = image_files.read(args.content, long_side=args.size).rgb
    style = image_files.read(args.style, long_side=args.size).rgb
    clock = processor_time if args.busy else time.perf_counter
    courses = {"TensorFlow's tutorial": run_tutorial(content, style, clock)}
    for name, values in OURS.items():
        courses[name] = run_ours(content, style, clock, **values)
    measured = table(courses, Judge(content, style))
    print(measured)
    about = "the processor's time, divided by its cores" if args.busy else "the clock"
    args.out.write_text(page(args.size, about, measured), "utf-8")


def processor_time() -> float:
    return time.process_time() / cores()


if __name__ == "__main__":
    main()
