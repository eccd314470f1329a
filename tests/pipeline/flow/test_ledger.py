import json
import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.flow.ledger import Counts, Ledger

cameras = st.sampled_from(["front", "back", "gate"])
events = st.one_of(
    st.tuples(st.just("in"), cameras),
    st.tuples(st.just("out"), cameras),
    st.tuples(st.sampled_from(["late", "replaced"]), cameras),
)


def count(ledger: Ledger, what: str, camera: str) -> None:
    if what == "in":
        ledger.came(camera)
    elif what == "out":
        ledger.went(camera, 0.1)
    else:
        ledger.dropped(camera, what)


def balances(counts: Counts) -> bool:
    return counts["in"] == counts["out"] + sum(counts["dropped"].values()) + counts["pending"]


@given(st.lists(events, max_size=60))
def test_the_ledger_balances_after_whatever_happens(happened: list[tuple[str, str]]) -> None:
    ledger = Ledger()
    expected = Counter(happened)

    for what, camera in happened:
        count(ledger, what, camera)
        assert all(balances(counts) for counts in ledger.snapshot().values())
        assert balances(ledger.totals())

    for camera, counts in ledger.snapshot().items():
        assert counts["in"] == expected["in", camera]
        assert counts["out"] == expected["out", camera]
        assert counts["dropped"] == {
            reason: expected[reason, camera] for reason in ("late", "replaced") if expected[reason, camera]
        }
    assert list(ledger.snapshot()) == sorted({camera for _, camera in happened})


@given(st.lists(events, max_size=60))
def test_the_totals_are_the_sums_of_the_cameras(happened: list[tuple[str, str]]) -> None:
    ledger = Ledger()
    for what, camera in happened:
        count(ledger, what, camera)

    totals, snapshot = ledger.totals(), ledger.snapshot().values()

    assert totals["in"] == sum(counts["in"] for counts in snapshot)
    assert totals["out"] == sum(counts["out"] for counts in snapshot)
    assert totals["pending"] == sum(counts["pending"] for counts in snapshot)
    assert totals["dropped"] == sum((Counter(counts["dropped"]) for counts in snapshot), Counter())


def test_what_has_come_and_not_gone_is_pending() -> None:
    ledger = Ledger()

    for _ in range(5):
        ledger.came("front")
    ledger.went("front", 0.1)
    ledger.dropped("front", "late")

    assert ledger.snapshot() == {"front": {"in": 5, "out": 1, "dropped": {"late": 1}, "pending": 3}}


def test_an_empty_ledger_balances() -> None:
    ledger = Ledger()

    assert ledger.snapshot() == {}
    assert ledger.totals() == {"in": 0, "out": 0, "dropped": {}, "pending": 0}


def test_a_snapshot_is_a_copy_that_json_takes() -> None:
    ledger = Ledger()
    ledger.dropped("front", "late")

    snapshot = ledger.snapshot()
    ledger.dropped("front", "late")

    assert json.loads(json.dumps(snapshot)) == {
        "front": {"in": 0, "out": 0, "dropped": {"late": 1}, "pending": -1}
    }


def test_ages_are_taken_once() -> None:
    ledger = Ledger()
    ledger.went("front", 0.1)
    ledger.went("back", 0.2)

    assert ledger.take_ages() == [0.1, 0.2]
    assert ledger.take_ages() == []


def test_nothing_is_lost_between_threads() -> None:
    ledger = Ledger()

    def work() -> None:
        for number in range(2000):
            ledger.came("front")
            if number % 2:
                ledger.went("front", 0.0)
            else:
                ledger.dropped("front", "late")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ledger.totals() == {"in": 8000, "out": 4000, "dropped": {"late": 4000}, "pending": 0}
    assert len(ledger.take_ages()) == 4000


def test_prometheus_reads_the_counts() -> None:
    registry, ledger = CollectorRegistry(), Ledger()
    awkward = 'front "door" \\ 1'
    ledger.came(awkward)
    ledger.came(awkward)
    ledger.went(awkward, 0.1)
    ledger.dropped(awkward, "late")
    ledger.came("back")

    registry.register(ledger)
    text = generate_latest(registry).decode()

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples == {
        ("streamlens_frames_in_total", awkward): 2,
        ("streamlens_frames_in_total", "back"): 1,
        ("streamlens_frames_out_total", awkward): 1,
        ("streamlens_frames_out_total", "back"): 0,
        ("streamlens_frames_dropped_total", awkward, "late"): 1,
    }


def test_prometheus_reads_the_ages() -> None:
    def count_up_to(bound: str) -> float:
        return REGISTRY.get_sample_value("streamlens_frame_age_seconds_bucket", {"le": bound}) or 0.0

    before = count_up_to("0.08"), count_up_to("0.15"), count_up_to("+Inf")
    Ledger().went("front", 0.1)
    after = count_up_to("0.08"), count_up_to("0.15"), count_up_to("+Inf")

    assert [later - earlier for earlier, later in zip(before, after, strict=True)] == [0, 1, 1]
