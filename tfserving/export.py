"""Export a model as a SavedModel: `python -m tfserving.export DIR` writes the ImageNet model to `DIR/1`.

`--model` selects another model, `--precision` another number format for its kernels. The modules
`classifier`, `emotions` and `detector` describe the models' inputs and outputs.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tfserving.models import weights
from tfserving.models.precision import PRECISIONS, Precision

Save = Callable[[Path], None]

LABELS = Path(__file__).parent / "labels"


# Imports that take seconds come late, so that missing weights are reported immediately.
# ruff: noqa: PLC0415


def imagenet(precision: Precision) -> Save:
    """Return a function that writes the ImageNet model; raise WeightsError if its weights cannot be read."""
    source = weights.locate()
    print(f"weights: {source}", flush=True)
    tensors = weights.read(source)
    from tfserving.models.imagenet import classifier

    return lambda folder: classifier.save(tensors, LABELS / "imagenetLabels.json", folder, precision)


def emonet(precision: Precision) -> Save:
    """Return a function that writes the emotion model; raise WeightsError if its weights cannot be read."""
    from tfserving.models import keras_weights

    source = weights.locate(keras_weights.PACKAGE, keras_weights.SUFFIX)
    print(f"weights: {source}", flush=True)
    tensors = keras_weights.read(source)
    from tfserving.models.emonet import emotions

    return lambda folder: emotions.save(tensors, LABELS / "emonetLabels.json", folder, precision)


def detect(precision: Precision) -> Save:
    """Train the shape detector, print its accuracy, and return a function that writes it."""
    from tfserving.models.detect import accuracy, detector, training

    layers = training.train(say=partial(print, flush=True))
    trained = detector.Detector(layers, LABELS / "detectLabels.json", precision)
    print(accuracy.measure(lambda jpeg: dict(trained.detect([jpeg]))), flush=True)
    return lambda folder: detector.save(trained, folder)


MODELS: dict[str, Callable[[Precision], Save]] = {"imagenet": imagenet, "emonet": emonet, "detect": detect}


def next_version(folder: Path) -> int:
    """Return the number after the highest version in a model's folder, or 1 if there is none."""
    names = [child.name for child in folder.iterdir()] if folder.is_dir() else []
    return max((int(name) for name in names if name.isdecimal()), default=0) + 1


def write(save: Save, target: Path) -> None:
    """Write a SavedModel with `save`; it appears under its name only once it is complete.

    Raises WeightsError if the weights cannot be used, OSError if the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        save(Path(scratch, "new"))
        if target.exists():
            target.rename(Path(scratch, "old"))
        Path(scratch, "new").rename(target)


def size(folder: Path) -> int:
    """Return the total size of the files below a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; argparse ends the process if they are invalid."""
    parser = argparse.ArgumentParser(
        prog="python -m tfserving.export", description="Export a model as a SavedModel."
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="the model's folder; the model is written to DIR/1"
    )
    parser.add_argument(
        "--model",
        choices=MODELS,
        default="imagenet",
        help="imagenet: the class of a picture (the default); emonet: the emotion of a face; "
        "detect: shapes and their positions, trained during the export in a minute or two",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="number format of the stored kernels (default: float32)",
    )
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--version", type=int, default=1, metavar="N", help="write DIR/N instead, replacing it"
    )
    number.add_argument(
        "--next", action="store_true", help="write the version after the highest existing one"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the model and print its path; return the exit status."""
    options = parse(arguments)
    version = next_version(options.folder) if options.next else options.version
    target = options.folder / str(version)
    started = time.monotonic()
    try:
        write(MODELS[options.model](options.precision), target)
    except (weights.WeightsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"model: {target}, {size(target) / 1e6:.1f} MB, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
