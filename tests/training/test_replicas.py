from datetime import UTC, datetime, timedelta

from training.replicas import condition, noted, summary

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
REPORT = {"state": "ready", "answered": 5, "skipped": 1, "waiting": 2, "reason": None}


def test_what_each_process_has_counted_is_added() -> None:
    progress = noted(None, "a", REPORT, NOW)
    progress = noted(progress, "a", {**REPORT, "answered": 8}, NOW)
    progress = noted(progress, "b", {**REPORT, "waiting": None}, NOW)

    found = summary(progress, NOW)

    assert (found["answered"], found["skipped"], found["waiting"]) == (13, 2, 2)


def test_early_exits_and_messages_for_the_upper_model_are_counted() -> None:
    progress = noted(None, "a", {**REPORT, "exited": 4, "sent_up": 7}, NOW)
    progress = noted(progress, "a", {**REPORT, "exited": 5, "sent_up": 9}, NOW)

    found = summary(progress, NOW)

    assert (found["answered"], found["exited"], found["sent_up"]) == (5, 5, 9)


def test_a_report_that_comes_late_takes_nothing_away() -> None:
    progress = noted(None, "a", {**REPORT, "answered": 8}, NOW)

    assert summary(noted(progress, "a", REPORT, NOW), NOW)["answered"] == 8


def test_replicas_that_are_silent_are_not_shown_but_counted() -> None:
    progress = noted(None, "a", REPORT, NOW)

    found = summary(progress, NOW + timedelta(seconds=31))

    assert (found["answered"], found["waiting"], found["replicas"]) == (5, None, [])
    assert condition("deployed", 1, found)[0] == "starting"


def test_a_process_that_has_ended_is_not_shown_but_counted() -> None:
    progress = noted(None, "a", REPORT, NOW)
    progress = noted(progress, "a", {**REPORT, "answered": 8, "state": "stopped"}, NOW)

    found = summary(progress, NOW)

    assert (found["answered"], found["replicas"]) == (8, [])


def test_old_processes_are_forgotten() -> None:
    progress = noted(None, "a", REPORT, NOW)

    progress = noted(progress, "b", REPORT, NOW + timedelta(hours=2))

    assert progress["runs"].keys() == {"b"}
    assert progress["answered"] == 10


def test_an_inference_is_ready_when_all_replicas_are() -> None:
    one = summary(noted(None, "a", REPORT, NOW), NOW)

    assert condition("deployed", 1, one) == ("ready", None)
    assert condition("deployed", 2, one)[0] == "starting"
    assert condition("stopped", 1, one) == ("stopped", None)
    skips = {**REPORT, "answered": 0, "skipped_why": "offset 7: 4 bytes, expected 64; skipped"}
    assert condition("deployed", 1, summary(noted(None, "a", skips, NOW), NOW)) == (
        "ready",
        "offset 7: 4 bytes, expected 64; skipped",
    )
    for name in ("answered", "sent_up"):
        some = summary(noted(None, "a", {**skips, name: 1}, NOW), NOW)
        assert condition("deployed", 1, some) == ("ready", None)
    broken = summary(noted(None, "a", {**REPORT, "reason": "no Kafka"}, NOW), NOW)
    assert condition("deployed", 1, broken) == ("not-ready", "no Kafka")
