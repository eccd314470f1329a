"""The README's tables match the code."""

import re
from collections.abc import Callable

from pipeline.cameras.links import SCHEMES, Kind
from pipeline.service.settings import Settings, load
from producer.settings import ProducerSettings
from tests.parts import ROOT

README = (ROOT / "producer/README.md").read_text()
ROWS = re.findall(r"^\| (`[A-Z`, ]+`) \| ([^|]+) \|", README, re.MULTILINE)
TABLE = {name: default for names, default in ROWS for name in re.findall(r"\w+", names)}


def test_the_table_lists_each_setting() -> None:
    fields = {name.upper() for name in ProducerSettings.model_fields}

    assert set(TABLE) == fields


def test_the_defaults_match_the_table(environment: Callable[..., None]) -> None:
    shown = {name: default.strip("`") for name, default in TABLE.items() if re.fullmatch("`[^`]+`", default)}
    assert len(shown) >= 9
    must = {"VIDEOLINK": "rtsp://camera/", "KAFKAPORT": "kafka:9092"}

    environment(**must)
    by_default: Settings = load(ProducerSettings)
    environment(**must, **shown)

    assert load(ProducerSettings) == by_default


def test_each_kind_of_camera_has_a_row_with_its_schemes() -> None:
    rows = dict(re.findall(r"^\| \[`(\w+)`\]\(sources/\1(?:\.py|/)\) \| ([^|]+) \|", README, re.MULTILINE))

    assert set(rows) == set(Kind)
    for scheme, kind in SCHEMES.items():
        assert f"`{scheme}`" in rows[kind]
