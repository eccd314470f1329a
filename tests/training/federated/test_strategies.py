"""The strategies against examples worked out by hand from the update rule of Reddi et al., algorithm 2."""

import numpy as np
import pytest

from training.federated.strategies import Arrays, Mean, Name, Options, Server, cast

EXACT = 1e-15


def numbers(*values: float) -> Arrays:
    return [np.array(values)]


def test_the_mean_weighs_clients_by_their_samples() -> None:
    mean = Mean()
    mean.add([np.array([0.0, 1.0], np.float32), np.array([2], np.int64)], 1)
    mean.add([np.array([4.0, 5.0], np.float32), np.array([4], np.int64)], 3)

    # (1 * 0 + 3 * 4) / 4 = 3; (1 * 1 + 3 * 5) / 4 = 4; (1 * 2 + 3 * 4) / 4 = 3.5
    first, second = mean.result()
    assert (first.tolist(), second.tolist(), mean.total) == ([3.0, 4.0], [3.5], 4)
    assert first.dtype == second.dtype == np.float64


def test_fedavg_takes_the_mean_itself() -> None:
    server = Server("FedAvg", Options(eta=0.5))

    assert server.step(numbers(1.0), numbers(3.0), [True])[0].tolist() == [3.0]
    assert server.moments == ([], [])


def test_fedadagrad_by_hand() -> None:
    server = Server("FedAdagrad", Options(eta=0.5, tau=1.5))

    # v = tau^2 = 2.25, and beta1 = 0.  x = 1, mean = 3: D = 2, v = 2.25 + 4 = 6.25 = 2.5^2,
    # x = 1 + 0.5 * 2 / (2.5 + 1.5) = 1.25
    first = server.step(numbers(1.0), numbers(3.0), [True])
    assert first[0][0] == pytest.approx(1.25, rel=EXACT)

    # mean = 7.25: D = 6, v = 6.25 + 36 = 42.25 = 6.5^2, x = 1.25 + 0.5 * 6 / (6.5 + 1.5) = 1.625
    second = server.step(first, numbers(7.25), [True])
    assert second[0][0] == pytest.approx(1.625, rel=EXACT)


def test_fedadam_by_hand() -> None:
    server = Server("FedAdam", Options(eta=1, beta1=0.5, beta2=0.75, tau=2))

    # v = 4.  x = 1, mean = 5: D = 0.5 * 0 + 0.5 * 4 = 2, v = 0.75 * 4 + 0.25 * 4 = 4 = 2^2,
    # x = 1 + 2 / (2 + 2) = 1.5
    first = server.step(numbers(1.0), numbers(5.0), [True])
    assert first[0][0] == pytest.approx(1.5, rel=EXACT)

    # mean = 0.5: D = 0.5 * 2 + 0.5 * -1 = 0.5, v = 0.75 * 4 + 0.25 * 0.25 = 3.0625 = 1.75^2,
    # x = 1.5 + 0.5 / (1.75 + 2) = 1.5 + 2/15
    second = server.step(first, numbers(0.5), [True])
    assert second[0][0] == pytest.approx(1.5 + 2 / 15, rel=EXACT)


def test_fedyogi_by_hand() -> None:
    server = Server("FedYogi", Options(eta=1, beta1=0.5, beta2=0.75, tau=2))

    # v = 4.  x = 1, mean = 7: D = 0.5 * 6 = 3, D^2 = 9 is above v: v = 4 + 0.25 * 9 = 6.25 = 2.5^2,
    # x = 1 + 3 / (2.5 + 2) = 5/3
    first = server.step(numbers(1.0), numbers(7.0), [True])
    assert first[0][0] == pytest.approx(5 / 3, rel=EXACT)

    # mean = x - 0.2: D = 0.5 * 3 - 0.5 * 0.2 = 1.4, D^2 = 1.96 is below v: v = 6.25 - 0.49 = 5.76 = 2.4^2,
    # x = 5/3 + 1.4 / (2.4 + 2) = 5/3 + 7/22
    second = server.step(first, numbers(5 / 3 - 0.2), [True])
    assert second[0][0] == pytest.approx(5 / 3 + 7 / 22, rel=4 * EXACT)


@pytest.mark.parametrize("name", ["FedAdagrad", "FedAdam", "FedYogi"])
def test_weights_that_are_not_trained_become_the_mean(name: Name) -> None:
    """A step of the server's own could make a variance negative."""
    server = Server(name, Options())

    found = server.step(numbers(1.0) + numbers(0.5), numbers(1.0) + numbers(0.25), [True, False])

    assert [each.tolist() for each in found] == [[1.0], [0.25]]


def test_the_moments_can_be_restored() -> None:
    one, other = Server("FedAdam", Options()), Server("FedAdam", Options())
    first = one.step(numbers(1.0, 2.0), numbers(3.0, 0.0), [True])
    other.moments = one.moments[0][:], one.moments[1][:]

    again = other.step(first, numbers(4.0, 4.0), [True])
    assert again[0].tolist() == one.step(first, numbers(4.0, 4.0), [True])[0].tolist()


def test_new_weights_keep_their_types() -> None:
    found = cast([np.array([1.5]), np.array([2.6])], [np.zeros(1, np.float32), np.zeros(1, np.int32)])

    assert [(each.dtype.name, each.tolist()) for each in found] == [("float32", [1.5]), ("int32", [3])]
