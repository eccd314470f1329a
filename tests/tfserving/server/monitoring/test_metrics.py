"""Metrics in Prometheus' format, named as TensorFlow Serving names them."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tfserving.server.monitoring.metrics import Counter, Histogram, exponential, page


def text(*metrics: Counter | Histogram) -> str:
    return page(metrics).decode()


def test_a_counter_counts_for_each_combination_of_labels() -> None:
    counter = Counter("/tensorflow/serving/request-count", "model_name", "status.code")

    counter.add("b", "OK")
    counter.add("a", "OK")
    counter.add("a", "OK", by=2)

    assert text(counter) == (
        "# TYPE :tensorflow:serving:request:count counter\n"
        ':tensorflow:serving:request:count{model_name="a",status_code="OK"} 3\n'
        ':tensorflow:serving:request:count{model_name="b",status_code="OK"} 1\n'
    )


def test_a_metric_without_labels_has_empty_braces() -> None:
    counter = Counter("9lives", "0")
    bare = Counter("x")

    counter.add("1")
    bare.add()

    assert text(counter, bare).splitlines() == [
        "# TYPE _9lives counter",
        '_9lives{_0="1"} 1',
        "# TYPE x counter",
        "x{} 1",
    ]


def test_a_metric_that_was_never_counted_has_only_a_type() -> None:
    assert text(Histogram("b", (1.0,)), Counter("a")) == "# TYPE a counter\n# TYPE b histogram\n"


def test_a_value_that_equals_a_limit_counts_in_the_next_bucket() -> None:
    histogram = Histogram("h", (10, 18.0, 32.4), "API")

    for value in (9.9, 10, 18, 40):
        histogram.add(value, "")

    assert text(histogram).splitlines() == [
        "# TYPE h histogram",
        'h_bucket{API="",le="10"} 1',
        'h_bucket{API="",le="18"} 2',
        'h_bucket{API="",le="32.4"} 3',
        'h_bucket{API="",le="+Inf"} 4',
        'h_sum{API=""} 77.9',
        'h_count{API=""} 4',
    ]


def test_a_histogram_without_labels() -> None:
    histogram = Histogram("h", (1.0,))

    histogram.add(3e7)

    assert text(histogram).splitlines()[1:] == [
        'h_bucket{le="1"} 0',
        'h_bucket{le="+Inf"} 1',
        "h_sum{} 3e+07",
        "h_count{} 1",
    ]


def test_limits_grow_by_a_factor() -> None:
    limits = exponential(10, 1.8, 33)

    assert len(limits) == 33
    assert [f"{limit:g}" for limit in (*limits[:4], limits[-1])] == [
        "10",
        "18",
        "32.4",
        "58.32",
        "1.47476e+09",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_any_label_value_reads_back(value: str) -> None:
    counter = Counter("requests", "model")
    counter.add(value)

    [family] = text_string_to_metric_families(text(counter))

    assert [(sample.labels, sample.value) for sample in family.samples] == [({"model": value}, 1)]


@pytest.mark.parametrize("kind", ["counter", "histogram"])
def test_nothing_is_lost_between_threads(kind: str) -> None:
    counter, histogram = Counter("c"), Histogram("h", (1.0,))

    def add() -> None:
        for _ in range(2000):
            counter.add() if kind == "counter" else histogram.add(1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert "} 8000" in text(counter, histogram)
