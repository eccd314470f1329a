"""Counters and histograms in Prometheus's text format, exactly as TensorFlow Serving writes it.

Names contain colons, braces are present even without labels, there are no HELP lines, and the limits of a
histogram are exclusive: a value that equals a limit counts in the next bucket.
"""

import re
import threading
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


def exponential(scale: float, growth: float, count: int) -> tuple[float, ...]:
    """Return the upper limits of `count` buckets, each `growth` times the previous one.

    A histogram adds one more bucket without a limit.
    """
    limits = [scale]
    while len(limits) < count:
        limits.append(limits[-1] * growth)
    return tuple(limits)


class Counter:
    """A number per combination of label values that only increases. Any thread may add to it."""

    def __init__(self, name: str, *labels: str) -> None:
        self.name = name
        self._labels = labels
        self._values: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def add(self, *values: str, by: int = 1) -> None:
        """Add to the number for these label values, given in the order of the labels."""
        with self._lock:
            self._values[values] = self._values.get(values, 0) + by

    def lines(self) -> list[str]:
        """Return the metric in Prometheus' text format."""
        name = _metric_name(self.name)
        with self._lock:
            values = sorted(self._values.items())
        samples = [f"{name}{{{_labels(self._labels, key)}}} {value}" for key, value in values]
        return [f"# TYPE {name} counter", *samples]


@dataclass(slots=True)
class _Buckets:
    counts: list[int]
    total: float = 0.0


class Histogram:
    """Counts of values per bucket, for each combination of label values. Any thread may add to it."""

    def __init__(self, name: str, limits: tuple[float, ...], *labels: str) -> None:
        self.name = name
        self._limits = limits
        self._labels = labels
        self._buckets: dict[tuple[str, ...], _Buckets] = {}
        self._lock = threading.Lock()

    def add(self, value: float, *values: str) -> None:
        """Count a value for these label values, given in the order of the labels."""
        with self._lock:
            buckets = self._buckets.get(values)
            if buckets is None:
                buckets = self._buckets[values] = _Buckets([0] * (len(self._limits) + 1))
            buckets.counts[bisect_right(self._limits, value)] += 1
            buckets.total += value

    def lines(self) -> list[str]:
        """Return the metric in Prometheus' text format."""
        name = _metric_name(self.name)
        with self._lock:
            points = sorted((key, list(one.counts), one.total) for key, one in self._buckets.items())
        lines = [f"# TYPE {name} histogram"]
        for key, counts, total in points:
            labels = _labels(self._labels, key)
            start = f"{name}_bucket{{{labels}{',' if labels else ''}le="
            so_far = 0
            for limit, count in zip([*(f"{limit:g}" for limit in self._limits), "+Inf"], counts, strict=True):
                so_far += count
                lines.append(f'{start}"{limit}"}} {so_far}')
            lines += [f"{name}_sum{{{labels}}} {total:g}", f"{name}_count{{{labels}}} {so_far}"]
        return lines


def page(metrics: Iterable[Counter | Histogram]) -> bytes:
    """Return the text of all metrics, sorted by name."""
    lines = [line for metric in sorted(metrics, key=lambda one: one.name) for line in metric.lines()]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _metric_name(name: str) -> str:
    text = re.sub(r"[^a-zA-Z0-9_]", ":", name)
    return "_" + text if text[:1].isdigit() else text


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return ",".join(f'{_label_name(n)}="{_escaped(v)}"' for n, v in zip(names, values, strict=True))


def _label_name(name: str) -> str:
    text = re.sub(r"[^a-zA-Z0-9]", "_", name)
    return "_" + text if text[:1].isdigit() else text


def _escaped(value: str) -> str:
    # A line break would end the sample, and clients can put any name of a model into a request.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
