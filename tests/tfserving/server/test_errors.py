"""What clients see of an error."""

import pytest

from tfserving.server.errors import reason


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "2 root error(s) found.\n"
            "  (0) INVALID_ARGUMENT: assertion failed: [a JPEG of more than 100 scans]"
            " [Condition x <= y did not hold element-wise:] [x (sub:0) = ] [101] [y (y:0) = ] [100]\n"
            "\t [[{{node check/Assert}}]]",
            "a JPEG of more than 100 scans",
        ),
        ("assertion failed: [] [x (sub:0) = ] [101]", "assertion failed: [] [x (sub:0) = ] [101]"),
        ("Unknown image file format.", "Unknown image file format."),
    ],
)
def test_a_failed_check_of_a_graph_says_its_own_text(message: str, expected: str) -> None:
    assert reason(message) == expected
