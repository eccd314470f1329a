"""What the README says of settings is so."""

import re
from collections.abc import Callable

from pipeline.service.settings import Settings, load
from producer.settings import ProducerSettings
from tests.parts import ROOT

ROWS = re.findall(r"^\| (`[A-Z`, ]+`) \| ([^|]+) \|", (ROOT / "producer/README.md").read_text(), re.MULTILINE)
TABLE = {name: default for names, default in ROWS for name in re.findall(r"\w+", names)}


def test_the_table_has_each_setting() -> None:
    fields = {name.upper() for name in ProducerSettings.model_fields}

    assert set(TABLE) == fields


def test_the_defaults_are_those_of_the_table(environment: Callable[..., None]) -> None:
    told = {name: default.strip("`") for name, default in TABLE.items() if re.fullmatch("`[^`]+`", default)}
    assert len(told) >= 9
    must = {"VIDEOLINK": "rtsp://camera/", "KAFKAPORT": "kafka:9092"}

    environment(**must)
    by_default: Settings = load(ProducerSettings)
    environment(**must, **told)

    assert load(ProducerSettings) == by_default
