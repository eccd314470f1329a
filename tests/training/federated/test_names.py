"""The names of topics are Kafka-ML's, and clients' names are a part of some."""

import pytest

from training.federated.names import LONGEST_CLIENT, Topics, check_client


def test_topics_have_the_names_of_kafka_ml() -> None:
    topics = Topics("aB3dE6gH")

    assert topics.rounds == "FED-aB3dE6gH-model_control_topic"
    assert topics.weights == "FED-aB3dE6gH-model_data_topic"
    assert topics.updates == "FED-aB3dE6gH-agg_control_topic"
    assert topics.of("ann") == "FED-aB3dE6gH-agg_data_topic-ann"
    assert Topics("x", "MINE").rounds == "MINE-x-model_control_topic"


@pytest.mark.parametrize("name", ["", "a/b", "ann\n", ".", "-a", "é", "a b"])
def test_names_that_fit_into_no_topic_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 60 letters, digits"):
        check_client(name)


@pytest.mark.exceeds("training.federated.names.LONGEST_CLIENT")
def test_a_name_that_is_too_long_is_refused() -> None:
    assert check_client("a" * LONGEST_CLIENT) == "a" * 60
    with pytest.raises(ValueError, match="expected 1 to 60 letters"):
        check_client("a" * (LONGEST_CLIENT + 1))
