"""The rounds: who is waited for, whose weights are used, and why others are not."""

from typing import Any

import numpy as np
import pytest

from tests.clock import Clock
from training.data.ranges import Range
from training.federated.aggregation import Aggregation
from training.federated.clients import MOST_CLIENTS, Terms
from training.federated.messages import Failure, Join, Update, compose_said
from training.federated.names import Topics
from training.federated.strategies import Options, Server
from training.federated.weights import pack

TOPICS = Topics("x")
TERMS = Terms(rounds=3, clients=2, updates=1, joining=5, deadline=60)


class World:
    """An aggregation of a model with the weights [0, 0], and its clients."""

    def __init__(self, terms: Terms = TERMS, server: Server | None = None) -> None:
        self.clock = Clock()
        self.found = Aggregation(
            TOPICS,
            [np.zeros(2, np.float32)],
            [True],
            server=server or Server("FedAvg", Options()),
            terms=terms,
            clock=self.clock.monotonic,
        )

    def join(self, *names: str, num_data: int = 100) -> None:
        for name in names:
            assert self.found.take(*compose_said(Join(name, num_data))) is None

    def answer(self, name: str, *values: float, version: int | None = None, **more: Any) -> bool:
        """Send weights; return whether they were fetched."""
        described, data = pack([np.array(values, more.pop("dtype", np.float32))])
        update = Update(
            name,
            self.found.version + 1 if version is None else version,
            Range(TOPICS.of(name), 0, 0, 1),
            described,
            more.pop("num_data", 100),
            more.pop("training", {"loss": 1.0}),
            {},
        )
        fetched = self.found.take(*compose_said(update))
        if fetched is not None:
            self.found.add(fetched, more.pop("data", data))
        return fetched is not None

    def begun(self, *names: str) -> "World":
        self.join(*names)
        self.found.begin()
        return self

    def state(self, name: str) -> tuple[str, str | None]:
        client = self.found.clients[name]
        return client.state, client.reason


def test_it_begins_once_enough_have_joined_and_others_had_time_to() -> None:
    world = World()

    assert world.found.why_waiting() == "waiting for clients: 0 of at least 2 have joined"
    world.join("ann", "bob")
    assert world.found.why_waiting() == "waiting for more clients: 2 have joined"
    world.clock.sleep(5)
    assert world.found.why_waiting() is None


def test_a_round_ends_when_all_have_answered() -> None:
    world = World().begun("ann", "bob")

    assert world.answer("ann", 1, 2, num_data=100, training={"loss": 3.0, "other": 1.0})
    assert world.found.why_waiting() == "waiting for 1 clients: bob"
    assert world.answer("bob", 5, 6, num_data=300)
    assert world.found.why_waiting() is None
    world.found.close()

    assert world.found.weights[0].tolist() == [4, 5]
    assert world.found.weights[0].dtype == np.float32
    assert world.found.version == 1
    # (100 * 3 + 300 * 1) / 400
    assert world.found.history.fields() == {
        "train_metrics": {"loss": [1.5], "other": [1.0]},
        "val_metrics": None,
    }
    shares = {each["name"]: (each["share"], each["used"]) for each in world.found.report()["clients"]}
    assert shares == {"ann": (0.25, 1), "bob": (0.75, 1)}


def test_a_client_that_vanishes_costs_one_deadline() -> None:
    world = World().begun("ann", "bob")
    world.answer("ann", 1, 1)
    world.clock.sleep(60)
    assert world.found.why_waiting() is None

    world.found.close()
    world.found.begin()

    assert world.state("bob") == ("late", "it has not answered round 1 in time")
    world.answer("ann", 2, 2)
    assert world.found.why_waiting() is None


def test_a_late_client_is_not_used_but_awaited_again() -> None:
    world = World().begun("ann", "bob")
    world.answer("ann", 1, 1)
    world.clock.sleep(60)
    world.found.close()
    world.found.begin()

    assert not world.answer("bob", 9, 9, version=1)

    assert world.state("bob") == ("training", "its answer to round 1 came too late")
    world.answer("ann", 2, 2)
    assert world.found.why_waiting() == "waiting for 1 clients: bob"
    world.answer("bob", 4, 4)
    world.found.close()
    assert world.found.weights[0].tolist() == [3, 3]


def test_one_that_joins_later_takes_part() -> None:
    world = World().begun("ann")
    world.join("bob")

    world.answer("ann", 1, 1)
    assert world.found.why_waiting() == "waiting for 1 clients: bob"


def test_at_least_so_many_must_answer() -> None:
    world = World(Terms(rounds=1, updates=2, deadline=60)).begun("ann", "bob")
    world.answer("ann", 1, 1)
    world.clock.sleep(1000)

    assert world.found.why_waiting() == (
        "waiting for clients: 1 of at least 2 have sent weights that can be used"
    )
    assert world.found.trouble() is None, "the other may still come"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            {"values": (1, float("nan"))},
            "array 0 of its weights has 1 numbers that are NaN, infinite or too large",
        ),
        (
            {"values": (1, float("inf"))},
            "array 0 of its weights has 1 numbers that are NaN, infinite or too large",
        ),
        ({"values": (1, 2, 3)}, "array 0 of its weights is float32 of 3: expected float32 of 2"),
        ({"values": (1, 2), "dtype": np.float64}, "is float64 of 2: expected float32 of 2"),
        ({"values": (1, 2), "data": b"\0" * 8}, "the checksum of its weights is wrong"),
        ({"values": (1, 2), "data": b"\0" * 7}, "its weights have 7 bytes: expected 8"),
        ({"values": (1, 2), "version": 2}, "its answer is for round 2, but this is round 1"),
        ({"values": (1, 2), "num_data": 0}, "num_data: expected a whole number from 1, found 0"),
        ({"values": (1, 2), "training": {"loss": "x"}}, "expected a finite number or null"),
    ],
    ids=["nan", "inf", "shape", "type", "checksum", "size", "round", "num_data", "metrics"],
)
def test_a_poisoned_client_is_refused_and_the_others_go_on(
    answer: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World().begun("ann", "eve")

    world.answer("eve", *answer.pop("values"), **answer)
    world.answer("ann", 1, 2)

    state, why = world.state("eve")
    assert state == "refused"
    assert why is not None
    assert reason in why
    assert f"client eve: refused: {why}" in caplog.text
    assert world.found.why_waiting() is None
    world.found.close()
    assert world.found.weights[0].tolist() == [1, 2]
    world.found.begin()
    assert world.state("eve") == ("training", None), "it may do better"


def test_an_unknown_client_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    world = World().begun("ann")

    assert not world.answer("eve", 9, 9)
    world.found.take(b"eve", b"nonsense")
    world.found.take(b"\xff", b"{}")

    assert "client eve is unknown, because it has not joined" in caplog.text
    assert "client eve: expected JSON in UTF-8" in caplog.text
    assert list(world.found.clients) == ["ann"]


def test_a_second_answer_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    world = World().begun("ann")

    assert world.answer("ann", 1, 2)
    assert not world.answer("ann", 5, 6)
    world.found.close()

    assert world.found.weights[0].tolist() == [1, 2]
    assert "it has answered round 1 already; what it has sent before is used" in caplog.text


def test_before_the_first_round_no_answer_counts() -> None:
    world = World()
    world.join("ann")

    assert not world.answer("ann", 1, 2)

    assert world.state("ann") == ("refused", "its answer is for round 1, but this is no round yet")


def test_a_round_that_nobody_can_answer_ends_the_training() -> None:
    world = World().begun("ann", "eve")
    world.answer("eve", float("nan"), 0)
    world.found.take(*compose_said(Failure("ann", 1, "line 3 of the code: ValueError: x")))

    assert world.found.trouble() is None, "others have time to join"
    world.clock.sleep(60)

    assert world.found.trouble() == (
        "round 1: 0 of at least 1 clients have sent weights that can be used: client ann: line 3 of the"
        " code: ValueError: x; client eve:"
        " array 0 of its weights has 1 numbers that are NaN, infinite or too large"
    )


def test_it_is_over_after_the_last_round() -> None:
    world = World(Terms(rounds=2)).begun("ann")
    for _ in range(2):
        assert not world.found.is_over
        world.answer("ann", 1, 1)
        world.found.close()
        world.found.begin()

    assert world.found.is_over
    assert world.found.report()["round"] == 2


def test_metrics_that_appear_later_are_null_before() -> None:
    world = World().begun("ann")
    for metrics in ({"a": 1.0}, {"b": 2.0}):
        world.answer("ann", 1, 1, training=metrics)
        world.found.close()
        world.found.begin()

    assert world.found.history.training == {"a": [1.0, None], "b": [None, 2.0]}


def test_weights_that_overflow_end_the_training() -> None:
    world = World(server=Server("FedAdam", Options(eta=1e39))).begun("ann")
    world.answer("ann", 1, 1)

    with pytest.raises(ValueError, match="round 1: the new weights cannot be used: array 0"):
        world.found.close()


@pytest.mark.exceeds("training.federated.clients.MOST_CLIENTS")
def test_one_client_too_many_is_not_known(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.join(*(f"client-{number}" for number in range(MOST_CLIENTS)))

    world.join("last")

    assert "last" not in world.found.clients
    assert "client last: there are 1000 clients, and no room for more" in caplog.text
