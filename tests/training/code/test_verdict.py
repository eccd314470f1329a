"""Why a process ended, in words."""

import pytest

from training.code.limits import GIB, Limits, size
from training.code.verdict import Ending, line_in, verdict

NOISE = """\
2026-11-30 23:26:58.203904: I tensorflow/core/platform/cpu_feature_guard.cc:210] This binary is optimized.
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1796079322.203904   29579 port.cc:153] oneDNN custom operations are on. You may see
"""


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


@pytest.mark.parametrize(
    ("output", "last"),
    [
        (NOISE, "it printed nothing"),
        (f"bye\n{NOISE}", "bye"),
        (f"{NOISE}INFO: bye\n", "INFO: bye"),
        (
            f"F0000 00:00:1796079322.203904   29579 tensor.cc:3] no shape\n{NOISE}",
            "F0000 00:00:1796079322.203904   29579 tensor.cc:3] no shape",
        ),
    ],
    ids=["noise", "before", "after", "fatal"],
)
def test_what_tensorflow_says_of_itself_is_no_cause(output: str, last: str) -> None:
    cause = verdict(Ending(3, has_started=True, output=output), Limits())

    assert cause == f"the code: it ended its process (exit status 3) before there was a result; {last}"


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
