"""A version as a tar stream. Its last file is a JSON object with the SHA-256 of each other file, by name."""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

KIND: Final = "application/x-tar"

_SUMS: Final = "sha256.json"
_BLOCK: Final = 2**20  # bytes
_RECORD: Final = 512  # bytes, tar's unit
_FILES: Final = 100_000
_SUMS_SIZE: Final = 32 * 2**20  # bytes


class ArchiveError(ValueError):
    """A stream is not a whole version: why, in one line."""


class Stream(Protocol):
    """What is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes, and none at the end."""


def pack(folder: Path) -> Iterator[bytes]:
    """Yield the archive of a folder's ordinary files. Raises OSError if they change meanwhile."""
    sums = dict[str, str]()
    for path in sorted(_files(folder)):
        if (name := path.relative_to(folder).as_posix()) == _SUMS:
            continue
        digest = hashlib.sha256()
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            yield _head(name, size)
            left = size
            while left and (block := file.read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
                yield block
        if left:
            raise OSError(f"{path} became shorter while it was read")
        yield _padding(size)
        sums[name] = digest.hexdigest()
    text = json.dumps(sums).encode()
    yield _head(_SUMS, len(text)) + text + _padding(len(text)) + bytes(2 * _RECORD)


def unpack(stream: Stream, folder: Path, most: int) -> None:
    """Write the files of an archive, at most `most` bytes of them, into an empty folder.

    Raises ArchiveError unless the archive is whole, has nothing but files, and none outside the folder, and
    OSError if they cannot be written.
    """
    found, expected = dict[str, str](), None
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as archive:  # type: ignore[call-overload]
            for member in archive:
                if member.isdir():
                    continue
                name, file = _checked(member), archive.extractfile(member)
                if name == _SUMS:
                    expected = _sums(file, member.size)
                    break
                most -= member.size
                if most < 0 or len(found) >= _FILES:
                    raise ArchiveError("the archive: it has more or larger files than a model may have")
                found[name] = _write(file, folder / name, member.size)
    except tarfile.TarError as error:
        raise ArchiveError(f"the archive: expected a tar stream, {error}") from None
    if expected is None or expected != found:
        raise ArchiveError("the archive: it was cut off or changed on its way: send it again")


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _RECORD)


def _checked(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if not member.isreg() or member.issparse():
        raise ArchiveError(f"the archive: expected {member.name!r} to be a file")
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in member.name:
        raise ArchiveError(f"the archive: {member.name!r} is outside its folder")
    return path.as_posix()


def _write(file: Any, target: Path, size: int) -> str:
    digest, left = hashlib.sha256(), size
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as copy:
            while left and (block := file.read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
                copy.write(block)
    except (FileExistsError, NotADirectoryError):
        raise ArchiveError(f"the archive: it has {target.name!r} more than once") from None
    return digest.hexdigest()


def _sums(file: Any, size: int) -> Any:
    if size > _SUMS_SIZE:
        raise ArchiveError(f"the archive: its {_SUMS} is too large")
    try:
        return json.loads(file.read())
    except (ValueError, RecursionError):
        raise ArchiveError(f"the archive: its {_SUMS} is not JSON") from None
