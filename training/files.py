"""The files of results: trained models, and pictures of confusion matrices."""

import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from training.space import why_full

log = logging.getLogger(__name__)

_MODEL: Final = "model"
_PICTURE: Final = "confusion_matrix.png"
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_ZIP: Final = b"PK\x03\x04"
_PICKLE: Final = b"\x80"
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class FileError(Exception):
    """A file is not what it should be: why, in one line."""


class NoRoomError(FileError):
    """A file cannot be kept, as the disk is full, say: why, in one line."""


class Files:
    """Keeps the files of results in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def why_full(self) -> str | None:
        """Return in one line that there is no room for another model, or None."""
        return why_full(self.folder)

    def put_model(self, result: int, framework: str, chunks: Iterable[bytes]) -> None:
        """Keep a trained model in place of the one before; raise `FileError` if it is none."""
        new = self._written(result, _MODEL, chunks)
        with new.open("rb") as file:
            begin = file.read(len(_HDF5))
        if not begin.startswith((_HDF5, _ZIP) if framework == "tf" else (_ZIP, _PICKLE)):
            new.unlink()
            expected = "a Keras file (.h5 or .keras)" if framework == "tf" else "a file of torch.save (.pth)"
            raise FileError(f"trained_model: expected {expected}, found something else")
        new.replace(self._path(result, _MODEL))

    def put_picture(self, result: int, chunks: Iterable[bytes]) -> None:
        """Keep the picture of a confusion matrix; raise `FileError` if it is not a PNG."""
        new = self._written(result, _PICTURE, chunks)
        with new.open("rb") as file:
            is_png = file.read(len(_PNG)) == _PNG
        if not is_png:
            new.unlink()
            raise FileError("confussion_matrix: expected a PNG, found something else")
        new.replace(self._path(result, _PICTURE))

    def model(self, result: int, framework: str) -> tuple[Path, str] | None:
        """Return where a trained model is, and the name to download it under; None if there is none."""
        path = self._path(result, _MODEL)
        try:
            with path.open("rb") as file:
                is_zip = file.read(len(_ZIP)) == _ZIP
        except FileNotFoundError:
            return None
        if framework != "tf":
            return path, "model.pth"
        return path, "model.keras" if is_zip else "model.h5"

    def picture(self, result: int) -> Path | None:
        """Return where the picture of a confusion matrix is, or None."""
        path = self._path(result, _PICTURE)
        return path if path.exists() else None

    def delete(self, result: int) -> None:
        """Delete the files of a result."""
        shutil.rmtree(self.folder / str(result), ignore_errors=True)

    def _path(self, result: int, name: str) -> Path:
        return self.folder / str(result) / name

    def _written(self, result: int, name: str, chunks: Iterable[bytes]) -> Path:
        """Write a file next to its final place, so that nobody ever reads half of it."""
        new = self._path(result, f"{name}.new")
        try:
            new.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            new.unlink(missing_ok=True)
            raise NoRoomError(f"{name} cannot be kept in {new.parent}: {error.strerror}") from None
        return new
