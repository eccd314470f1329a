"""Write the ImageNet classifier as a SavedModel: `python -m tfserving.export DIR` makes `DIR/1`.

Signature `serving_default`: `image_bytes` (string [-1], JPEG of any size) -> `classes` (int64 [-1], 0 is
background) and `probabilities` (float32 [-1, 1001]). The label of class c is entry c - 1 of the file
`assets/imagenetLabels.json`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tfserving import weights

LABELS = Path(__file__).parent / "labels" / "imagenetLabels.json"


def next_version(folder: Path) -> int:
    """Return the number after the highest version in a model's folder; 1 where there is none."""
    names = [child.name for child in folder.iterdir()] if folder.is_dir() else []
    return max((int(name) for name in names if name.isdecimal()), default=0) + 1


def write(source: Path, target: Path) -> None:
    """Write the SavedModel with the weights of the file `source`; it exists under its name only when whole.

    Raises WeightsError when the file cannot be read, OSError when the folder cannot be written.
    """
    tensors = weights.read(source)
    # Takes seconds to import, and is not needed to say that the weights are missing.
    from tfserving import classifier  # noqa: PLC0415

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        classifier.save(tensors, LABELS, Path(scratch, "new"))
        if target.exists():
            target.rename(Path(scratch, "old"))
        Path(scratch, "new").rename(target)


def size(folder: Path) -> int:
    """Return the bytes in all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the model and say where it lies; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tfserving.export", description="Export the ImageNet model."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the model's folder; DIR/1 is written")
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--version", type=int, default=1, metavar="N", help="write DIR/N instead, replacing it"
    )
    number.add_argument("--next", action="store_true", help="write the version after the highest one there")
    options = parser.parse_args(arguments)
    version = next_version(options.folder) if options.next else options.version
    target = options.folder / str(version)
    started = time.monotonic()
    try:
        source = weights.locate()
        print(f"weights: {source}", flush=True)
        write(source, target)
    except (weights.WeightsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"model: {target}, {size(target) / 1e6:.1f} MB, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
