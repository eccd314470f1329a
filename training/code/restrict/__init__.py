"""Takes rights away from this process, for good, before it runs code that nobody has read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.code.restrict import landlock, privileges, resources, seccomp


@dataclass(frozen=True, slots=True)
class Rights:
    """What the process keeps: files to read and write, and limits in bytes and numbers."""

    read: Sequence[Path]
    write: Sequence[Path]
    memory: int
    file_size: int
    open_files: int
    cpu_time: int | None  # s


def restrict(rights: Rights) -> list[str]:
    """Restrict this process, which must have a single thread. Return what this system lacks."""
    resources.limit(rights.memory, rights.file_size, rights.open_files, rights.cpu_time)
    lacks = list[str]()
    for part in (
        privileges.drop,
        lambda: landlock.restrict(rights.read, rights.write),
        seccomp.restrict,
    ):
        try:
            part()
        except OSError as error:
            lacks.append(str(error))
    return lacks
