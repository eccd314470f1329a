"""Edge and cloud as a chain, on two real Kafkas with a slow link between them, which is also cut."""

import time
from collections.abc import Iterator

import pytest

from tests.parts import wait_for
from tests.training import exits
from tests.training.exits import DELAY, KNOWN, Asking, Site
from training.example.digits import digits

pytestmark = [
    pytest.mark.parts,
    pytest.mark.outside,
    pytest.mark.timeout(1800),
]

ASKED = digits()[KNOWN:]
_LINK = 2 * DELAY * 1000  # ms there and back


@pytest.fixture(scope="module")
def site(kafka_command: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: ARG001
    """Both Kafkas, and the trained chain."""
    with exits.site(tmp_path_factory.mktemp("chain")) as made:
        made.train()
        yield made


def counted(site: Site, asking: Asking, **least: int) -> dict[str, int]:
    """Return what the edge has counted, once its replica has reported so many."""

    def found() -> dict[str, int] | None:
        progress = site.progress(asking.inferences["edge"])
        return progress if all(progress[name] >= number for name, number in least.items()) else None

    return dict(wait_for(found, 60, f"the report of {least}"))


def test_each_part_has_its_result(site: Site) -> None:
    found = {each["model"]["name"]: each for each in site.get("/results/")}

    for name in ("edge", "cloud", "whole"):
        assert found[name]["state"] == "finished"
        assert found[name]["test_metrics"]["accuracy"][0] > 0.9
        assert found[name]["train_metrics"].keys() == {"loss", "accuracy"}
        (version,) = site.get(f"/versions/{name}")
        assert version["result"] == found[name]["id"]
    assert site.get(f"/results/inference/{site.results['cloud']}") == {
        "input_format": "RAW",
        "input_config": '{"data_type": "float32", "data_reshape": "288"}',
    }


def test_sure_answers_leave_early_and_each_message_is_answered_once(site: Site) -> None:
    with site.chain() as asking:
        found = asking.ask(ASKED, rate=100)
        counts = counted(site, asking, answered=sum(found.early))
        above = wait_for(
            lambda: (
                (each := site.progress(asking.inferences["cloud"]))["answered"] >= counts["sent_up"] and each
            ),
            60,
            "the cloud's report",
        )
    with site.whole() as asking:
        whole = asking.ask(ASKED[:100], rate=100)

    early = sum(found.early)
    assert len(ASKED) * 0.4 < early < len(ASKED)
    assert (counts["answered"], counts["exited"], counts["sent_up"]) == (early, early, len(ASKED) - early)
    assert (above["answered"], above["skipped"], counts["skipped"]) == (len(ASKED) - early, 0, 0)
    assert all(
        max(each) >= exits.LIMIT for each, is_early in zip(found.values, found.early, strict=True) if is_early
    )
    assert found.right(ASKED) > 0.94
    # What has crossed the link is as old as that takes, and early exits are not.
    assert min(age for age, is_early in zip(found.ages, found.early, strict=True) if not is_early) >= _LINK
    assert min(whole.ages) >= _LINK
    assert min(found.ages) < _LINK


def test_while_the_link_is_cut_messages_wait_and_none_is_lost(site: Site) -> None:
    with site.chain() as asking:
        first = asking.ask(ASKED[:50], rate=100)
        site.cloud.link.cut()
        try:
            numbers = asking.send(ASKED[50:250], rate=200)
            early = asking.take(len(numbers), wait=5)
            progress = wait_for(
                lambda: (found := site.get(f"/inferences/{asking.inferences['edge']}"))["reason"] and found,
                60,
                "why",
            )
        finally:
            site.cloud.link.mend()
        late = asking.take(len(numbers) - len(early))
        counts = counted(site, asking, sent_up=len(late) + first.early.count(False))

    assert all(is_early for *_, is_early in early.values())
    assert 0 < len(early) < len(numbers)
    assert "Kafka does not answer" in progress["reason"]
    assert early.keys() | late.keys() == {*numbers}
    assert not early.keys() & late.keys()
    assert counts["answered"] == counts["exited"] == len(early) + sum(first.early)


def test_or_they_leave_with_the_answer_of_the_edge(site: Site) -> None:
    with site.chain(upper_away="leave") as asking:
        asking.ask(ASKED[:50], rate=100)
        site.cloud.link.cut()
        try:
            numbers = asking.send(ASKED[50:250], rate=200)
            found = asking.take(len(numbers))
        finally:
            site.cloud.link.mend()
        begun = counted(site, asking, answered=len(numbers))
        time.sleep(6)  # s after which the edge tries again
        again = asking.ask(ASKED[250:350], rate=100)

    assert found.keys() == {*numbers}
    assert all(is_early for *_, is_early in found.values())
    assert begun["answered"] > begun["exited"]
    assert not all(again.early)
