"""Files of labels that are too large, and servers that send them."""

import json
from pathlib import Path

import pytest

from consumer.labels import sources
from consumer.labels.entries import LONGEST_LABEL, MOST_LABELS
from consumer.labels.formats import LARGEST_FILE, parse
from pipeline.model_server.errors import ModelError
from pipeline.service.settings import SettingsError
from tests.consumer.fakes import ScriptedServer, reply

MANY = MOST_LABELS + 1


@pytest.mark.exceeds(
    "consumer.labels.formats.LARGEST_FILE",
    "consumer.labels.entries.MOST_LABELS",
    "consumer.labels.entries.LONGEST_LABEL",
)
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x" * (LARGEST_FILE + 1), "at most 4 MiB"),
        (b"cat\n" * MANY, "at most 100000 labels"),
        (json.dumps(["cat"] * MANY).encode(), "at most 100000 labels"),
        (json.dumps({str(i): "cat" for i in range(MANY)}).encode(), "at most 100000 labels"),
        (b"cat\n" + b"x" * (LONGEST_LABEL + 1), "at most 200 characters in label 1"),
        (json.dumps([{"id": i % 99_999, "name": "cat"} for i in range(100_000)]).encode(), "several for 0"),
        (
            json.dumps(dict.fromkeys(map(str, range(99_999)), 1))[:-1].encode() + b', "99998": 1}',
            "each key once",
        ),
        (b"item" + b" " * 1_000_000 + b"x", "characters in label 0"),
        (b"item {" + b" a {" * 100_000, "expected"),
        (b'"",""\n' * 100, "at least one label"),
        (b'{"a":' * 100_000, "expected"),
    ],
)
def test_labels_that_are_too_many_or_too_long_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse(data, "labels.csv" if data.startswith(b'"') else "")

    assert len(str(caught.value)) < 500


@pytest.mark.exceeds(
    "consumer.labels.entries.MOST_VALUES",
    "consumer.labels.formats._LARGEST_LABEL_MAP",
    "consumer.labels.formats._MOST_FIELDS",
    "consumer.labels.formats._LONGEST_LINE",
)
@pytest.mark.parametrize(
    ("begin", "part", "count", "reason"),
    [
        (b"[", b"1,", 400_000, "at most 400000 values, found 400001"),
        (b"[", b"[]", 200_000, "at most 200000 lists and objects, found 200001"),
        (b"id,name\n", b",", 400_000, "at most 400000 cells, found 400001"),
        (b"id,name", b"\n", 100_002, "at most 100001 labels, found 100002"),
        (b"id,name", b"\r", 100_002, "at most 100001 labels, found 100002"),
        (b"item {\n}", b"\n", 512 * 1024, "at most 524288 characters of a label map"),
        (b"item {", b"\na:1", 50_000, "at most 50000 fields of a label map, found 50001"),
        (b"item {", b"a", 1995, "at most 2000 characters in a line of a label map, found 2001"),
    ],
)
def test_files_with_too_many_parts_are_not_parsed(begin: bytes, part: bytes, count: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(begin + part * count)
    with pytest.raises(ValueError, match="expected") as caught:
        parse(begin + part * (count - 100))

    assert "at most" not in str(caught.value)


def test_a_row_of_very_many_numbers_is_no_list_of_labels() -> None:
    with pytest.raises(ValueError, match="found only numbers"):
        parse(b"1," * 399_999 + b"1", "labels.csv")


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    with path.open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(SettingsError, match="at most 4 MiB"):
        sources.source("imagenet_1", str(path))


def test_a_download_that_is_too_large_is_given_up() -> None:
    with ScriptedServer(reply(200, b"x" * (LARGEST_FILE + 1))) as server:
        labels = sources.source("imagenet_1", server.url)
        labels.refresh()

        with pytest.raises(ModelError, match="longer than 4 MiB"):
            labels()
