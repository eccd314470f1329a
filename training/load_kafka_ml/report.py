"""What was loaded, and what was not and why."""

from collections import Counter as Tally


class SkipError(Exception):
    """A row is not loaded: why."""


class Report:
    """Counts rows by their kind, and keeps a line for each that was skipped."""

    def __init__(self) -> None:
        self._counts = dict[str, Tally[str]]()
        self.lines = list[str]()

    def loaded(self, kind: str) -> None:
        """Note a row that is there now."""
        self._of(kind)["loaded"] += 1

    def known(self, kind: str) -> None:
        """Note a row that was there already."""
        self._of(kind)["there already"] += 1

    def skipped(self, kind: str, number: object, reason: object) -> None:
        """Note a row that was not loaded."""
        self._of(kind)["skipped"] += 1
        self.note(kind, number, f"skipped: {reason}")

    def note(self, kind: str, number: object, text: str) -> None:
        """Keep a line about a row."""
        self.lines.append(f"{kind} {number}: {' '.join(text.split())}")

    def summary(self) -> list[str]:
        """Return a line for each kind of rows."""
        return [
            f"{kind}s: {', '.join(f'{count} {what}' for what, count in tally.items()) or 'none'}"
            for kind, tally in self._counts.items()
        ]

    def _of(self, kind: str) -> Tally[str]:
        return self._counts.setdefault(kind, Tally())
