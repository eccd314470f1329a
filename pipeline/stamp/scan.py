"""Rewrites a JPEG's scan, its entropy-coded data, without decoding the picture (ITU-T T.81).

`scan.c` does the work, compiled to WebAssembly, which Wasmtime translates to machine code when it is first
used. It is nearly as fast as a compiled extension and runs on every machine, and damaged data cannot reach
any memory but the module's own.
"""

import atexit
import ctypes
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from pipeline.stamp import jpeg_head
from pipeline.stamp.jpeg_head import Component, Head
from pipeline.wire import jpeg, picture

if TYPE_CHECKING:
    import wasmtime

WASM: Final = Path(__file__).with_name("scan.wasm")

_LONGEST: Final = 16 * 2**20  # bytes of a JPEG; the module's memory grows to four times as much
_TABLE: Final = 16 + 256  # bytes of a Huffman table
_FINEST: Final = 100  # the quality that rounds coefficients to integers and no further
_SELECTORS: Final = bytes([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])  # a scan with the standard tables
_COPY, _TRANSLATE, _DIVIDE = range(3)  # as in scan.c
_JOB: Final = Struct(f"<6I12s{6 * _TABLE}s{3 * 128}s")  # `job` in scan.c


class ScanError(ValueError):
    """A scan is damaged, or too long to be written again."""


def has_tiles(head: Head) -> bool:
    """Return whether tiles can be exchanged as they are: standard tables, and a marker after each row."""
    return bool(head.interval) and head.row % head.interval == 0 and _is_standard(head.components)


def with_tiles(data: bytes, head: Head) -> bytes:
    """Return a JPEG of the same pixels that has tiles; raise `ScanError` if it is damaged."""
    interval = picture.restart_interval(head.width, head.mcu[0])
    job = _job(replace(head, length=0, size_at=0), interval, head.components)
    scan = _module().run(job, data, head.length)
    return b"".join((_head(data[: head.length], interval), scan, jpeg.END))


def encode(image: picture.Image, head: Head) -> bytes:
    """Return the scan of an image that is coded as a JPEG with that head."""
    own = jpeg_head.quality_of(head.components)
    data = picture.encode(image, own or _FINEST, head.interval, head.sampling)
    if own:
        return data[jpeg.head_length(data) :]
    fine = jpeg_head.read(data)
    job = _job(replace(fine, length=0, size_at=0), fine.interval, head.components)
    return _module().run(job, data, fine.length) + jpeg.END


@dataclass(frozen=True, slots=True)
class _Job:
    """What `scan.c` has to know: the input as in `Head`, the output's interval and tables, and the tables."""

    mcus: int
    interval: int
    new_interval: int
    mode: int
    blocks: bytes
    tables: bytes
    divisors: bytes

    def pack(self, length: int) -> bytes:
        """Return the job for an input of that length."""
        numbers = (length, self.mcus, self.interval, self.new_interval, self.mode, len(self.blocks))
        return _JOB.pack(*numbers, self.blocks, self.tables, self.divisors)


@lru_cache(maxsize=64)
def _job(head: Head, new_interval: int, new: tuple[Component, ...]) -> _Job:
    across, down = head.sampling >> 4, head.sampling & 15
    new_divisors = [_divisors(component) for component in new]
    old_divisors = [_divisors(component) for component in head.components]
    same = [1] * 64
    divisors = [
        same if before == after else after for before, after in zip(old_divisors, new_divisors, strict=True)
    ]
    mode = _DIVIDE if old_divisors != new_divisors else _COPY if _is_standard(head.components) else _TRANSLATE
    tables = [table for component in head.components for table in (component.dc, component.ac)]
    return _Job(
        mcus=head.row * head.rows,
        interval=head.interval,
        new_interval=new_interval,
        mode=mode,
        blocks=bytes(across * down) + bytes([1, 2]),
        tables=b"".join(table.ljust(_TABLE, b"\0") for table in tables),
        divisors=np.array(divisors, "<u2").tobytes(),
    )


def _divisors(component: Component) -> list[int]:
    """Return a component's 64 quantization values, in zigzag order."""
    table = component.quantization
    size = 2 if len(table) > 64 else 1
    return [int.from_bytes(table[at : at + size]) for at in range(0, len(table), size)]


@lru_cache(maxsize=64)
def _head(head: bytes, interval: int) -> bytes:
    """Return a head with the standard tables and this restart interval."""
    replaced = (jpeg.HUFFMAN_TABLES, jpeg.RESTART_INTERVAL, jpeg.START_OF_SCAN)
    kept = [head[begin:end] for marker, begin, end in jpeg.segments(head) if marker not in replaced]
    added = (
        *_standard_segments(),
        b"\xff\xdd\x00\x04" + interval.to_bytes(2),
        b"\xff\xda\x00\x0c" + _SELECTORS,
    )
    return b"".join((jpeg.START, *kept, *added))


@cache
def _standard() -> bytes:
    """Return a head with the standard Huffman tables (annex K.3)."""
    data = picture.encode(np.zeros((16, 16, 3), np.uint8), 85)
    return data[: jpeg.head_length(data)]


@cache
def _standard_segments() -> list[bytes]:
    head = _standard()
    return [head[begin:end] for marker, begin, end in jpeg.segments(head) if marker == jpeg.HUFFMAN_TABLES]


@lru_cache(maxsize=64)
def _is_standard(components: tuple[Component, ...]) -> bool:
    standard = jpeg_head.read(_standard()).components
    return [(one.dc, one.ac) for one in components] == [(one.dc, one.ac) for one in standard]


class _Module:
    """The compiled `scan.c`; one call at a time."""

    def __init__(self) -> None:
        # Imported here, so that only consumers of such JPEGs need the memory.
        import wasmtime  # noqa: PLC0415

        config = wasmtime.Config()
        config.parallel_compilation = False  # threads that would stay
        engine = wasmtime.Engine(config)
        self._store = wasmtime.Store(engine)
        instance = wasmtime.Instance(self._store, wasmtime.Module.from_file(engine, str(WASM)), [])
        self._exports = instance.exports(self._store)
        self._memory = cast("wasmtime.Memory", self._exports["memory"])
        self._lock = Lock()
        self._tables = b""
        luma, chroma, _ = jpeg_head.read(_standard()).components
        tables = (luma.dc, luma.ac, chroma.dc, chroma.ac)
        self._write(self._call("standard_at"), b"".join(table.ljust(_TABLE, b"\0") for table in tables))
        self._call("build_standard")
        self._job_at = self._call("job_at")

    def run(self, job: _Job, data: bytes, begin: int) -> bytes:
        """Return the new scan of a JPEG whose scan begins at `begin`, without an end marker.

        Raises `ScanError` if it is damaged.
        """
        scan = data[begin:]
        if len(scan) > _LONGEST:
            raise ScanError(f"{len(scan)} bytes, expected at most {_LONGEST}")
        with self._lock:
            self._write(self._call("reserve", len(scan), job.mcus), scan)
            self._write(self._job_at, job.pack(len(scan)))
            if job.mode != _COPY and job.tables != self._tables:
                self._tables = b""
                if not self._call("build_own"):
                    raise ScanError("damaged Huffman tables")
                self._tables = job.tables
            length = self._call("run")
            if not length:
                raise ScanError("damaged entropy-coded data")
            return ctypes.string_at(self._address(self._call("output_at")), length)

    def _call(self, name: str, *arguments: int) -> int:
        function = cast("wasmtime.Func", self._exports[name])
        return int(function(self._store, *arguments))

    def _write(self, at: int, data: bytes) -> None:
        ctypes.memmove(self._address(at), data, len(data))

    def _address(self, at: int) -> int:
        # Wasmtime's own `write` and `read` copy once more, and create a type for each size.
        return ctypes.addressof(self._memory.data_ptr(self._store).contents) + at


@cache
def _module() -> _Module:
    # Wasmtime's objects cannot be freed once Python has emptied its modules.
    atexit.register(_module.cache_clear)
    return _Module()
