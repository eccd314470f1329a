"""Write a model as a SavedModel: `python -m tfserving.export DIR` makes `DIR/1`, the ImageNet classifier.

`--model` takes another one, `--precision` another number format for its kernels. What goes into each model
and what comes out is told in `classifier`, `emotions` and `detector`.
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


# What takes seconds to import is imported late: it is not needed to say that the weights are missing.
# ruff: noqa: PLC0415


def imagenet(precision: Precision) -> Save:
    """Return what writes the ImageNet classifier; raise WeightsError where its weights cannot be read."""
    source = weights.locate()
    print(f"weights: {source}", flush=True)
    tensors = weights.read(source)
    from tfserving.models.imagenet import classifier

    return lambda folder: classifier.save(tensors, LABELS / "imagenetLabels.json", folder, precision)


def emonet(precision: Precision) -> Save:
    """Return what writes the model of emotions; raise WeightsError where its weights cannot be read."""
    from tfserving.models import keras_weights

    source = weights.locate(keras_weights.PACKAGE, keras_weights.SUFFIX)
    print(f"weights: {source}", flush=True)
    tensors = keras_weights.read(source)
    from tfserving.models.emonet import emotions

    return lambda folder: emotions.save(tensors, LABELS / "emonetLabels.json", folder, precision)


def detect(precision: Precision) -> Save:
    """Train the detector of shapes, say how good it is, and return what writes it."""
    from tfserving.models.detect import accuracy, detector, training

    layers = training.train(say=partial(print, flush=True))
    trained = detector.Detector(layers, LABELS / "detectLabels.json", precision)
    print(accuracy.measure(lambda jpeg: dict(trained.detect([jpeg]))), flush=True)
    return lambda folder: detector.save(trained, folder)


MODELS: dict[str, Callable[[Precision], Save]] = {"imagenet": imagenet, "emonet": emonet, "detect": detect}


def next_version(folder: Path) -> int:
    """Return the number after the highest version in a model's folder; 1 where there is none."""
    names = [child.name for child in folder.iterdir()] if folder.is_dir() else []
    return max((int(name) for name in names if name.isdecimal()), default=0) + 1


def write(save: Save, target: Path) -> None:
    """Write a SavedModel with `save`; it exists under its name only when whole.

    Raises WeightsError when the weights are of no use, OSError when the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        save(Path(scratch, "new"))
        if target.exists():
            target.rename(Path(scratch, "old"))
        Path(scratch, "new").rename(target)


def size(folder: Path) -> int:
    """Return the bytes in all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; argparse ends the process where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tfserving.export", description="Export a model as a SavedModel."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the model's folder; DIR/1 is written")
    parser.add_argument(
        "--model",
        choices=MODELS,
        default="imagenet",
        help="imagenet: classes of pictures (the default); emonet: emotions of faces; "
        "detect: shapes and where they are, trained here in a minute or two",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="number format that the kernels are stored in (default: float32)",
    )
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--version", type=int, default=1, metavar="N", help="write DIR/N instead, replacing it"
    )
    number.add_argument("--next", action="store_true", help="write the version after the highest one there")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the model and say where it lies; return the exit status."""
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
