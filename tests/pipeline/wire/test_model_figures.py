"""Figures of models in messages: what is written is read, and what is not figures is refused."""

import json
from typing import Any

import pytest

from pipeline.wire import figures
from pipeline.wire.figures import Dropped
from pipeline.wire.model_figures import ModelFigures, Models, decode, encode
from pipeline.wire.status import StatusError, Subject, decode_key
from pipeline.wire.status import decode as decode_status

IMAGENET = ModelFigures("tfserving:8501", None, 21.5, 40.0, 0.0461, 0.112, {"timeout": Dropped(3, 0.1)})
AWAY = ModelFigures("[fd00::1]:8500", "connection refused", None, None)


def written(**models: ModelFigures) -> bytes:
    """Return a value."""
    return encode(Models("consumer", "host-1", models), 1e9)[1]


def value(**changes: Any) -> bytes:
    """Return a value of one model, with some fields of it changed."""
    fields = json.loads(written(imagenet_1=IMAGENET))
    fields["models"]["imagenet_1"] |= changes
    return json.dumps(fields).encode()


def test_what_is_written_is_read() -> None:
    models = {"imagenet_1": IMAGENET, "emonet_2": AWAY}

    assert decode(written(**models)) == Models("consumer", "host-1", models)


def test_readers_that_know_no_models_read_figures_without_cameras() -> None:
    key, text = encode(Models("consumer", "host-1", {"imagenet_1": IMAGENET}), 1e9)

    subject = decode_key(key)

    assert subject == Subject("figures", "host-1.models")
    assert figures.decode(text).cameras == {}
    assert decode_status(subject, text).state == "ready"


def test_models_for_which_there_is_no_room_are_left_out() -> None:
    many = {f"imagenet_{number}": IMAGENET for number in range(200)}

    text = written(**many)

    assert len(text) <= figures.LONGEST_PART
    assert 20 < len(decode(text).models) < 200


def test_texts_are_one_line_of_limited_length() -> None:
    (read,) = decode(value(server="a\nb" + "x" * 200, trouble="c\nd" + "y" * 900)).models.values()

    assert len(read.server) == 100
    assert len(read.trouble or "") == 500
    assert "\n" not in f"{read.server}{read.trouble}"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        written(imagenet_1=IMAGENET).replace(b"host-1", b"host 1"),
        written(**{"imagenet\n1": IMAGENET}),
        value(server=1),
        value(trouble=[]),
        value(requests=-1),
        value(frames="many"),
        value(took=True),
        value(age=1e300),
        value(failed={"timeout": 3}),
        value(failed={"timeout": [-1, 0]}),
        value().ljust(10_001),
    ],
    ids=[
        "nothing",
        "list",
        "empty",
        "process",
        "name",
        "server",
        "trouble",
        "negative",
        "text",
        "flag",
        "old",
        "number",
        "count",
        "long",
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(StatusError) as caught:
        decode(text)

    assert caught.value.kind == "bad_figures"
    assert "\n" not in str(caught.value)
