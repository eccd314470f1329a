import json
import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.flow.ledger import REMOVED, Counts, Ledger

cameras = st.sampled_from(["front", "back", "gate"])
events = st.one_of(
    st.tuples(st.just("in"), cameras),
    st.tuples(st.just("out"), cameras),
    st.tuples(st.sampled_from(["late", "replaced"]), cameras),
    st.tuples(st.just("forget"), cameras),
)


def count(ledger: Ledger, what: str, camera: str) -> None:
    if what == "in":
        ledger.came(camera)
    elif what == "out":
        ledger.went(camera, 0.1)
    elif what == "forget":
        ledger.forget(camera)
    else:
        ledger.dropped(camera, what)


def balances(counts: Counts) -> bool:
    return counts["in"] == counts["out"] + sum(counts["dropped"].values()) + counts["pending"]


@given(st.lists(events, max_size=60))
def test_the_ledger_balances_and_loses_nothing_whatever_happens(happened: list[tuple[str, str]]) -> None:
    ledger = Ledger()
    expected = Counter(what for what, _ in happened)

    for what, camera in happened:
        count(ledger, what, camera)
        assert all(balances(counts) for counts in ledger.report().values())
        assert balances(ledger.totals())

    totals = ledger.totals()
    assert totals["in"] == expected["in"]
    assert totals["out"] == expected["out"]
    assert totals["dropped"] == {
        reason: expected[reason] for reason in ("late", "replaced") if expected[reason]
    }


@given(st.lists(events, max_size=60))
def test_the_totals_are_the_sums_of_the_report(happened: list[tuple[str, str]]) -> None:
    ledger = Ledger()
    for what, camera in happened:
        count(ledger, what, camera)

    totals, report = ledger.totals(), ledger.report().values()

    assert totals["in"] == sum(counts["in"] for counts in report)
    assert totals["out"] == sum(counts["out"] for counts in report)
    assert totals["pending"] == sum(counts["pending"] for counts in report)
    assert totals["dropped"] == sum((Counter(counts["dropped"]) for counts in report), Counter())


@given(st.lists(events, max_size=60))
def test_a_camera_has_a_row_from_its_first_frame_until_it_is_forgotten(
    happened: list[tuple[str, str]],
) -> None:
    ledger = Ledger()
    present = set()

    for what, camera in happened:
        count(ledger, what, camera)
        present |= {camera} if what == "in" else set()
        present -= {camera} if what == "forget" else set()

    assert list(ledger.snapshot()) == sorted(present)


def test_a_forgotten_cameras_counts_stay_in_the_report_and_the_totals() -> None:
    ledger = Ledger()
    ledger.came("front")
    ledger.went("front", 0.1)
    ledger.came("back")

    ledger.forget("front")

    assert ledger.report() == {
        "back": {"in": 1, "out": 0, "dropped": {}, "pending": 1},
        REMOVED: {"in": 1, "out": 1, "dropped": {}, "pending": 0},
    }
    assert ledger.totals() == {"in": 2, "out": 1, "dropped": {}, "pending": 1}


def test_a_sample_has_the_counts_and_the_median_age_of_the_last_frames() -> None:
    ledger = Ledger()
    for age in (7.0, *[0.1] * 20, *[0.3] * 44):
        ledger.came("front")
        ledger.went("front", age)
    ledger.came("back")
    ledger.dropped("back", "late")
    ledger.came("gone")
    ledger.forget("gone")

    assert ledger.samples() == {"back": (1, 0, {"late": 1}, None), "front": (65, 65, {}, 0.3)}


def test_a_report_has_no_row_for_removed_cameras_until_one_is_removed() -> None:
    ledger = Ledger()
    ledger.came("front")
    ledger.forget("back")

    assert list(ledger.report()) == ["front"]


def test_late_frames_of_a_forgotten_camera_do_not_count_for_the_camera_that_came_back() -> None:
    ledger = Ledger()
    ledger.came("front")
    ledger.came("front")
    ledger.forget("front")
    ledger.came("front")

    ledger.went("front", 0.1)
    ledger.dropped("front", "late")
    ledger.went("front", 0.1)

    assert ledger.report() == {
        "front": {"in": 1, "out": 1, "dropped": {}, "pending": 0},
        REMOVED: {"in": 2, "out": 1, "dropped": {"late": 1}, "pending": 0},
    }


def test_frames_that_came_and_have_not_left_are_pending() -> None:
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
    ledger.came("front")
    ledger.dropped("front", "late")

    snapshot = ledger.snapshot()
    ledger.dropped("front", "late")

    assert json.loads(json.dumps(snapshot)) == {
        "front": {"in": 1, "out": 0, "dropped": {"late": 1}, "pending": 0}
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


def test_prometheus_no_longer_sees_a_forgotten_camera() -> None:
    registry, ledger = CollectorRegistry(), Ledger()
    registry.register(ledger)
    ledger.came("front")
    ledger.came("back")
    ledger.dropped("front", "late")

    ledger.forget("front")

    text = generate_latest(registry).decode()
    assert 'camera="back"' in text
    assert 'camera="front"' not in text
    assert 'camera=""' not in text


def test_prometheus_reads_the_ages() -> None:
    def count_up_to(bound: str) -> float:
        return REGISTRY.get_sample_value("streamlens_frame_age_seconds_bucket", {"le": bound}) or 0.0

    before = count_up_to("0.08"), count_up_to("0.15"), count_up_to("+Inf")
    Ledger().went("front", 0.1)
    after = count_up_to("0.08"), count_up_to("0.15"), count_up_to("+Inf")

    assert [later - earlier for earlier, later in zip(before, after, strict=True)] == [0, 1, 1]


def test_the_numbers_of_frames_that_came_and_went_are_reported() -> None:
    ledger = Ledger()
    for number in (3, 4, 6):
        ledger.came("front", "a", number)
    ledger.began()
    ledger.came("front", "a", 9)
    ledger.came("front", "a", 9)
    ledger.came("front")
    ledger.went("front", 0.1, "b", 0)
    ledger.came("back", "a", 7)
    ledger.forget("back")
    ledger.went("back", 0.1, "b", 0)

    report = ledger.runs()

    assert report["began"] is not None
    [(name, front)] = report["cameras"].items()
    assert name == "front"
    assert front["read"]["a"]["ranges"] == [[3, 4, 1], [6, 6, 0], [9, 9, 1]]
    assert front["wrote"]["b"]["ranges"] == [[0, 0, 1]]
    assert (front["in"], front["out"], front["again"]) == (6, 1, 1)
    json.dumps(report)


def test_a_ledger_that_reads_nothing_has_not_begun() -> None:
    assert Ledger().runs() == {"began": None, "cameras": {}}
