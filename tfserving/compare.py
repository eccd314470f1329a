"""Compare two exports of a model: `python -m tfserving.compare MODEL_A MODEL_B CLIP` runs both over a film.

A model is the folder of one version, or its base path: then the highest version is taken. Both must take
`image_bytes` and give `probabilities`, as the ImageNet model does.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfserving.export import size
from tfserving.film import FilmError, frames
from tfserving.models.weights import FloatArray
from tfserving.progress import Say, slowly
from tfserving.server.errors import ServingError
from tfserving.server.graph.saved import DEFAULT_SIGNATURE, Runtime, SavedModel
from tfserving.server.models import versions


class CompareError(Exception):
    """The two models cannot be compared over this film, for a reason that fits one line."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured: milliseconds a frame of either model, and how far their answers are apart.

    `same` tells of each frame whether the likeliest class is the same; `differences` is by how much the
    probability of the first model's likeliest class differs, 0..1.
    """

    times: tuple[Sequence[float], Sequence[float]]
    same: Sequence[bool]
    differences: Sequence[float]


def resolve(path: Path) -> Path:
    """Return the folder of a version; raise CompareError where there is none."""
    if (path / "saved_model.pb").is_file():
        return path
    try:
        found = versions.find(path)
    except OSError as error:
        raise CompareError(f"{path}: {error.strerror}") from error
    if not found:
        raise CompareError(f"{path}: neither a SavedModel nor a folder of versions of one")
    return found[max(found)]


def load(folder: Path) -> SavedModel:
    """Return the model in a version's folder; raise CompareError where it is none, or takes other things."""
    try:
        model = SavedModel(folder, Runtime())
    except ServingError as error:
        raise CompareError(f"{folder}: {error.message.splitlines()[0]}") from error
    signature = model.signatures.get(DEFAULT_SIGNATURE)
    inputs = list(signature.inputs) if signature else []
    outputs = list(signature.outputs) if signature else []
    if inputs != ["image_bytes"] or "probabilities" not in outputs:
        model.close()
        raise CompareError(
            f"{folder}: it takes {', '.join(inputs) or 'nothing'}, gives {', '.join(outputs) or 'nothing'}; "
            "only models from image_bytes to probabilities are compared"
        )
    return model


def compare(a: SavedModel, b: SavedModel, jpegs: Iterable[bytes], tell: Say) -> Comparison:
    """Ask both models for each picture, in turns who is first."""
    models = (a, b)
    times: tuple[list[float], list[float]] = ([], [])
    same, differences = [], []
    for number, jpeg in enumerate(jpegs):
        feeds = {"image_bytes": np.array([jpeg, None], object)[:1]}
        if number == 0:
            # The first run of a graph takes longer than those after it.
            for model in models:
                model.run(DEFAULT_SIGNATURE, feeds)
        answers: dict[int, FloatArray] = {}
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            started = time.perf_counter()
            outputs = models[which].run(DEFAULT_SIGNATURE, feeds)
            times[which].append((time.perf_counter() - started) * 1000)
            answers[which] = outputs["probabilities"][0]
        if answers[0].shape != answers[1].shape:
            raise CompareError(f"the models know {answers[0].size} and {answers[1].size} classes")
        likeliest = int(answers[0].argmax())
        same.append(likeliest == int(answers[1].argmax()))
        differences.append(abs(float(answers[0][likeliest]) - float(answers[1][likeliest])))
        tell(f"{number + 1} frames")
    return Comparison(times, same, differences)


def table(names: Sequence[Path], comparison: Comparison) -> str:
    """Return what was measured as lines for people."""
    rows: list[tuple[Any, ...]] = [("", "MODEL_A", "MODEL_B")]
    rows.append(("size on disk", *(f"{size(name) / 1e6:.1f} MB" for name in names)))
    rows.append(("a frame (median)", *(f"{statistics.median(times):.1f} ms" for times in comparison.times)))
    lines = [f"{title:<18}{a:>10}{b:>10}" for title, a, b in rows]
    lines.append(
        f"same likeliest class: {statistics.mean(comparison.same):.1%} of {len(comparison.same)} frames"
    )
    lines.append(
        f"its probability differs by {statistics.mean(comparison.differences):.4f} on average, "
        f"{max(comparison.differences):.4f} at most"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the models and print the table; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tfserving.compare", description="Compare two exports of a model over a film."
    )
    parser.add_argument(
        "models", nargs=2, type=Path, metavar="MODEL", help="folder of a version, or base path"
    )
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a film that OpenCV reads")
    parser.add_argument("--step", type=int, default=1, metavar="N", help="take every N-th frame")
    options = parser.parse_args(arguments)
    if options.step < 1:
        parser.error("--step must be 1 or more")
    try:
        folders = [resolve(path) for path in options.models]
        a, b = (load(folder) for folder in folders)
        tell = slowly(lambda line: print(line, file=sys.stderr, flush=True))
        comparison = compare(a, b, frames(options.clip, options.step), tell)
    except (CompareError, FilmError, ServingError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(folders, comparison))
    return 0


if __name__ == "__main__":
    sys.exit(main())
