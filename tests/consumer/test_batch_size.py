"""Batches become smaller when a model rejects them, and larger again later."""

from consumer.batch_size import RETRY_AFTER, BatchSize
from tests.clock import Clock


def test_it_begins_with_the_most_and_is_halved() -> None:
    batch = BatchSize(8, Clock().monotonic)

    assert batch.current() == 8
    assert [batch.rejected(8), batch.rejected(4), batch.rejected(2)] == [4, 2, 1]
    assert batch.current() == 1


def test_it_never_falls_below_one_frame() -> None:
    batch = BatchSize(1, Clock().monotonic)

    assert batch.rejected(1) == 1


def test_half_of_what_was_rejected_counts_not_half_of_the_most() -> None:
    assert BatchSize(64, Clock().monotonic).rejected(5) == 2


def test_two_workers_whose_batches_are_rejected_at_once_halve_it_once() -> None:
    batch = BatchSize(8, Clock().monotonic)

    assert [batch.rejected(8), batch.rejected(8)] == [4, 4]


def test_it_is_doubled_after_some_minutes_at_a_time_and_no_further_than_the_most() -> None:
    clock = Clock()
    batch = BatchSize(6, clock.monotonic)
    batch.rejected(2)

    sizes = []
    for _ in range(4):
        clock.now += RETRY_AFTER - 1
        before = batch.current()
        clock.now += 1
        sizes.append((before, batch.current()))

    assert sizes == [(1, 2), (2, 4), (4, 6), (6, 6)]
