"""What becomes of every frame, by the answers of all services."""

from collections.abc import Sequence

import pytest

from pipeline.ledger.answer import Answer, Counted
from pipeline.ledger.balance import Balance, Row, balances
from pipeline.ledger.directory import Process
from tests.pipeline.ledger.answers import LONG_AGO, answer, counted

CAPTURED = answer("producer", door=counted(12, 10, not_due=2, wrote={"p": [(0, 9)]}), began=None)
LABELLED = answer(
    "consumer", door=counted(10, 9, replaced=1, read={"p": [(0, 9, True)]}, wrote={"c": [(0, 8)]})
)
SHOWN = answer("video", door=counted(9, 9, read={"c": [(0, 8, True)]}))


def balance(*last: Answer, first: Sequence[Answer] = (), final: bool = True, elapsed: float = 0.0) -> Balance:
    """Return the balance of the only camera, whose rows hold."""
    [found] = balances(first or last, last, elapsed, final=final)
    assert all(holds(row) for row in found.rows), found
    return found


def holds(row: Row) -> bool:
    return row.came + row.twice == row.went + row.dropped.total() + row.pending + row.difference


def rows(found: Balance) -> dict[str, tuple[int, int, dict[str, int], int]]:
    return {
        f"{row.service} {row.instance}".strip(): (row.came, row.went, dict(row.dropped), row.difference)
        for row in found.rows
    }


def test_what_is_captured_published_labelled_and_shown_is_compared() -> None:
    assert rows(balance(CAPTURED, LABELLED, SHOWN)) == {
        "producer": (12, 10, {"not_due": 2}, 0),
        "consumer": (10, 9, {"replaced": 1}, 0),
        "video 1": (9, 9, {}, 0),
    }


def test_what_a_consumer_read_over_is_missing() -> None:
    consumer = answer(
        "consumer", door=counted(8, 8, read={"p": [(0, 4, True), (6, 7, False), (9, 9, False)]})
    )

    found = balance(CAPTURED, consumer)

    assert rows(found)["consumer"] == (10, 8, {}, 2)
    [difference] = found.rows[1].differences
    assert (difference.writer, difference.reader) == ("producer 1", "consumer 1")
    assert (difference.run, difference.frames) == ("p", [(5, 5), (8, 8)])


def test_what_a_consumer_skipped_is_missed() -> None:
    consumer = answer("consumer", door=counted(7, 7, read={"p": [(1, 4, True), (7, 9, True)]}))

    assert rows(balance(CAPTURED, consumer))["consumer"] == (10, 7, {"unread": 1, "missed": 2}, 0)


def test_a_partition_that_moves_between_consumers_misses_nothing_that_either_has_read() -> None:
    one = answer("consumer", "1", door=counted(6, 6, read={"p": [(0, 3, True), (8, 9, True)]}))
    other = answer("consumer", "2", door=counted(5, 5, read={"p": [(3, 5, True), (7, 8, False)]}))

    found = balance(CAPTURED, one, other)

    # 3 and 8 were read by both; 6 by none, although the second one read on from 5 to 7.
    assert rows(found)["consumer"] == (10, 11, {}, 1)
    assert found.rows[1].twice == 2


def test_a_frame_that_a_producer_could_not_deliver_is_not_missing() -> None:
    producer = answer(
        "producer", began=None, door=counted(10, 9, not_delivered=1, wrote={"p": [(0, 4), (6, 9)]})
    )
    consumer = answer("consumer", door=counted(9, 9, read={"p": [(0, 4, True), (6, 9, False)]}))

    assert rows(balance(producer, consumer))["consumer"] == (9, 9, {}, 0)


def test_a_frame_that_was_delivered_although_its_producer_gave_it_up_counts_as_published() -> None:
    producer = answer(
        "producer", began=None, door=counted(10, 9, not_delivered=1, wrote={"p": [(0, 4), (6, 9)]})
    )

    assert rows(balance(producer, LABELLED))["consumer"] == (10, 9, {"replaced": 1}, 0)


def test_frames_on_their_way_are_pending_until_they_had_time_to_arrive() -> None:
    consumer = answer("consumer", door=counted(8, 8, read={"p": [(0, 7, True)]}))

    found = balance(CAPTURED, consumer, final=False)
    assert not found.is_settled
    assert found.rows[1].pending == 2

    found = balance(CAPTURED, consumer)
    assert rows(found)["consumer"] == (10, 8, {}, 2)


def test_frames_that_come_while_the_services_are_asked_make_no_difference() -> None:
    later = answer("consumer", door=counted(14, 14, read={"p": [(0, 13, True)]}))

    found = balance(later, first=[CAPTURED])

    assert rows(found)["consumer"] == (14, 14, {}, 0)
    assert found.is_settled


@pytest.mark.parametrize(("began", "difference"), [(30.0, 0), (60.0, 2)])
def test_the_last_frames_of_a_run_are_missed_if_a_reader_began_after_them(
    began: float, difference: int
) -> None:
    producer = answer("producer", began=None, door=counted(10, 10, wrote={"p": [(0, 9)]}, age=40.0))
    consumer = answer("consumer", began=began, door=counted(8, 8, read={"p": [(0, 7, True)]}))

    found = balance(producer, consumer, elapsed=1.0)

    assert found.rows[1].difference == difference
    assert found.rows[1].dropped["missed"] == 2 - difference


def test_a_consumer_that_began_after_a_camera_ended_has_not_read_it() -> None:
    producer = answer("producer", began=None, door=counted(10, 10, wrote={"p": [(0, 9)]}, age=LONG_AGO))

    assert rows(balance(producer, answer("consumer", began=5.0)))["consumer"] == (10, 0, {"unread": 10}, 0)


def test_a_camera_that_no_consumer_takes_is_missing() -> None:
    found = balance(CAPTURED, answer("consumer", "1"), answer("consumer", "2"))

    assert rows(found)["consumer"] == (10, 0, {}, 10)
    assert found.rows[1].differences[0].reader == "any of 2 consumers"


def test_gaps_in_the_run_of_a_producer_that_is_gone_are_missed() -> None:
    consumer = answer("consumer", door=counted(9, 9, read={"q": [(3, 4, True), (6, 12, False)]}))

    assert rows(balance(consumer))["consumer"] == (10, 9, {"missed": 1}, 0)


def test_what_a_consumer_that_is_gone_has_labelled_counts_as_labelled() -> None:
    consumer = answer("consumer", door=counted(4, 4, read={"p": [(6, 9, True)]}, wrote={"c": [(0, 3)]}))
    video = answer(
        "video", door=counted(8, 8, read={"gone": [(1, 2, True), (4, 5, False)], "c": [(0, 3, True)]})
    )

    # Of six frames that are not known, it has labelled four; the video server missed one of its own.
    assert rows(balance(CAPTURED, consumer, video)) == {
        "producer": (12, 10, {"not_due": 2}, 0),
        "consumer": (10, 8, {"unread": 2}, 0),
        "video 1": (9, 8, {"missed": 1}, 0),
    }


def test_each_video_server_has_its_own_row() -> None:
    late = answer("video", "2", began=3.0, door=counted(2, 1, replaced=1, read={"c": [(7, 8, True)]}))

    found = rows(balance(CAPTURED, LABELLED, SHOWN, late))

    assert found["video 1"] == (9, 9, {}, 0)
    assert found["video 2"] == (9, 1, {"replaced": 1, "unread": 7}, 0)


def test_frames_without_a_number_are_counted() -> None:
    consumer = answer("consumer", door=counted(5, 5))

    assert rows(balance(consumer))["consumer"] == (5, 5, {}, 0)


def test_two_hundred_cameras_with_many_breaks_are_compared() -> None:
    read = [(100 * each, 100 * each + 90, True) for each in range(30)]
    wrote = [(first, last) for first, last, _ in read]
    names = [f"camera {number}" for number in range(200)]

    def process(service: str, instance: str, counts: Counted) -> Answer:
        return Answer(Process(service, instance, ""), LONG_AGO, dict.fromkeys(names, counts))

    everyone = [
        process("producer", "1", counted(2730, 2730, wrote={"p": wrote})),
        process("producer", "2", counted(2730, 2730, wrote={"q": wrote})),
        process("consumer", "1", counted(5460, 5460, read={"p": read, "q": read}, wrote={"c": wrote})),
        process("video", "1", counted(2730, 2730, read={"c": read})),
        process("video", "2", counted(2730, 2730, read={"c": read})),
    ]

    found = balances(everyone, everyone, 0.0)

    assert len(found) == 200
    assert not any(row.difference or row.dropped for each in found for row in each.rows)
