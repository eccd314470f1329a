"""Topics on a broker that cannot create them with settings, but creates those that it is asked for."""

from collections.abc import Iterator, Mapping

import pytest

from pipeline.kafka import clients
from pipeline.kafka.topics import KEPT, Topic
from tests.parts import embedded_broker

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_broker(tmp_path_factory.mktemp("broker")) as (address, _):
        yield address


@pytest.mark.parametrize(
    ("name", "settings", "is_created"),
    [("any", {}, True), ("kept", KEPT, False)],
    ids=["any settings", "settings"],
)
def test_only_a_topic_with_any_settings_is_left_to_the_broker(
    bootstrap: str, name: str, settings: Mapping[str, str], is_created: bool
) -> None:
    admin = clients.admin(bootstrap, {})
    topic = Topic(name, settings, lambda: admin)

    assert topic.prepare(admin)

    assert (name in admin.list_topics(timeout=10).topics) is is_created
    assert topic.trouble is not None
