"""Why a process ended, in words."""

import pytest

from training.code.limits import GIB, Limits, size
from training.code.verdict import Ending, line_in, verdict


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (
            3,
            "",
            "the code: it ended its process (exit status 3) before there was a result; it printed nothing",
        ),
        (1, "a\n\nlast\n", "the code: it ended its process (exit status 1) before there was a result; last"),
        (-24, "", "the code: it used more processor time than the limit"),
        (-9, "", "the code: the system ended its process, probably for lack of memory or processor time"),
        (-6, "terminate called: std::bad_alloc", "the code: it needs more memory than the limit of 4 GiB"),
        (-11, "", "the code: it ended its process with SIGSEGV; it printed nothing"),
        (-99, "", "the code: it ended its process with signal 99; it printed nothing"),
    ],
    ids=["exit", "output", "time", "killed", "memory", "fault", "unknown"],
)
def test_each_ending_has_a_cause(status: int, output: str, expected: str) -> None:
    assert verdict(Ending(status, has_started=True, output=output), Limits()) == expected


def test_the_codes_own_line_is_found_in_a_stack() -> None:
    stack = (
        b'noise File "<code>", line 99 in x\nStack (most recent call first):\n'
        b'  File "/usr/x.py", line 5 in f\n  File "<imports>", line 7 in g\n  File "<code>", line 3 in h\n'
    )

    assert line_in(stack) == "line 7 of the imports"
    assert line_in(b'File "<code>", line 99 in x') is None
    assert line_in(b"") is None


def test_sizes_are_words() -> None:
    assert [size(count) for count in (5, 2048, 1_500_000, 4 * GIB)] == [
        "5 bytes",
        "2 KiB",
        "1.43 MiB",
        "4 GiB",
    ]
