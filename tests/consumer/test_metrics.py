"""What Prometheus gets of the consumer's cameras."""

from prometheus_client import REGISTRY, CollectorRegistry

from tests.consumer.fakes import BROKEN
from tests.consumer.test_model import HeldClient, a_model, echo, outcomes, running
from tests.consumer.test_turn import Arriving, Bench
from tests.parts import wait_for


def labels(registry: CollectorRegistry) -> set[str]:
    """Return the values of all labels."""
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return {value for sample in samples for value in sample.labels.values()}


def test_a_removed_camera_leaves_no_series() -> None:
    client = HeldClient()
    model = a_model(client)
    bench, registry = Bench(model), CollectorRegistry()
    registry.register(bench.ledger)

    with running(model, client):
        client.answer(echo, echo)
        for seq in (1, 2):
            for camera in ("loft", "vault"):
                bench.topic.write(Arriving(camera, seq), Arriving(camera, seq), Arriving(camera, seq, BROKEN))
            bench.turn(8)
        wait_for(outcomes(model, "ok"), 10, "an answer")
        before = labels(registry)
        bench.reader.forget("loft")
        bench.turn()

    assert {"loft", "vault"} <= before
    assert "loft" not in labels(registry)
    assert "vault" in labels(registry)
    assert not {"loft", "vault"} & labels(REGISTRY)
