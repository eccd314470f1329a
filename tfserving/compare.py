"""Compare two exports of a model on a film: `python -m tfserving.compare MODEL_A MODEL_B CLIP`.

A model is the folder of one version, or a base path, which stands for its highest version. Both models must
take `image_bytes` and return `probabilities`, like the ImageNet model.
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
    """The two models cannot be compared on this film. The message is one line."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measurements: milliseconds per frame for each model, and how much their answers differ.

    `same` says for each frame whether both models rank the same class first. `differences` holds the absolute
    difference in the probability of the first model's top class, 0..1.
    """

    times: tuple[Sequence[float], Sequence[float]]
    same: Sequence[bool]
    differences: Sequence[float]


def resolve(path: Path) -> Path:
    """Return the folder of a version; raise CompareError if there is none."""
    if (path / "saved_model.pb").is_file():
        return path
    try:
        found = versions.find(path)
    except OSError as error:
        raise CompareError(f"{path}: {error.strerror}") from error
    if not found:
        raise CompareError(f"{path}: expected a SavedModel or a folder with versions of one")
    return found[max(found)]


def load(folder: Path) -> SavedModel:
    """Return the model in a version's folder.

    Raises CompareError if it cannot be loaded, or has other inputs or outputs.
    """
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
            f"{folder}: expected a model that takes image_bytes and returns probabilities, found one that "
            f"takes {', '.join(inputs) or 'nothing'} and returns {', '.join(outputs) or 'nothing'}"
        )
    return model


def compare(a: SavedModel, b: SavedModel, jpegs: Iterable[bytes], report: Say) -> Comparison:
    """Run both models on each picture; they take turns at going first."""
    models = (a, b)
    times: tuple[list[float], list[float]] = ([], [])
    same, differences = [], []
    for number, jpeg in enumerate(jpegs):
        feeds = {"image_bytes": np.array([jpeg, None], object)[:1]}
        if number == 0:
            # The first run of a graph takes longer than later ones.
            for model in models:
                model.run(DEFAULT_SIGNATURE, feeds)
        answers: dict[int, FloatArray] = {}
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            started = time.perf_counter()
            outputs = models[which].run(DEFAULT_SIGNATURE, feeds)
            times[which].append((time.perf_counter() - started) * 1000)
            answers[which] = outputs["probabilities"][0]
        if answers[0].shape != answers[1].shape:
            raise CompareError(
                f"expected models with the same classes, found {answers[0].size} and {answers[1].size}"
            )
        likeliest = int(answers[0].argmax())
        same.append(likeliest == int(answers[1].argmax()))
        differences.append(abs(float(answers[0][likeliest]) - float(answers[1][likeliest])))
        report(f"{number + 1} frames")
    return Comparison(times, same, differences)


def table(names: Sequence[Path], comparison: Comparison) -> str:
    """Return the measurements as a table to print."""
    rows: list[tuple[Any, ...]] = [("", "MODEL_A", "MODEL_B")]
    rows.append(("size on disk", *(f"{size(name) / 1e6:.1f} MB" for name in names)))
    rows.append(("frame (median)", *(f"{statistics.median(times):.1f} ms" for times in comparison.times)))
    lines = [f"{title:<18}{a:>10}{b:>10}" for title, a, b in rows]
    lines.append(f"same top class: {statistics.mean(comparison.same):.1%} of {len(comparison.same)} frames")
    lines.append(
        f"difference of its probability: {statistics.mean(comparison.differences):.4f} on average, "
        f"{max(comparison.differences):.4f} at most"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the models and print the table; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tfserving.compare", description="Compare two exports of a model on a film."
    )
    parser.add_argument(
        "models", nargs=2, type=Path, metavar="MODEL", help="folder of one version, or base path"
    )
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a film that OpenCV can read")
    parser.add_argument("--step", type=int, default=1, metavar="N", help="use every N-th frame")
    options = parser.parse_args(arguments)
    if options.step < 1:
        parser.error("--step must be 1 or more")
    try:
        folders = [resolve(path) for path in options.models]
        a, b = (load(folder) for folder in folders)
        report = slowly(lambda line: print(line, file=sys.stderr, flush=True))
        comparison = compare(a, b, frames(options.clip, options.step), report)
    except (CompareError, FilmError, ServingError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(folders, comparison))
    return 0


if __name__ == "__main__":
    sys.exit(main())
