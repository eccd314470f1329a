"""Kernels are stored in fewer bits, and read back with a small error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfserving.models.layers import widened
from tfserving.models.precision import PRECISIONS, Precision, quantized
from tfserving.models.weights import FloatArray
from tfserving.runtime import tf

NUMBERS = st.floats(-100, 100, width=32)
KERNELS = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=4, max_side=5), elements=NUMBERS)


@given(KERNELS, st.data())
def test_a_number_is_off_by_half_a_step_of_its_channel_at_most(
    kernel: FloatArray, data: st.DataObject
) -> None:
    channels = data.draw(st.integers(-kernel.ndim, kernel.ndim - 1))

    numbers, scales = quantized(kernel, channels)

    assert scales.size == kernel.shape[channels]
    assert (np.abs(numbers * scales - kernel) <= scales * 0.501 + 1e-30).all()


def test_the_largest_number_of_each_channel_is_127() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 8)).astype(np.float32)

    numbers, _ = quantized(kernel)

    assert numbers.dtype == np.int8
    assert (np.abs(numbers).max(axis=(0, 1, 2)) == 127).all()


@pytest.mark.parametrize("number", [0, 1.4e-45], ids=["zero", "the smallest"])
def test_a_channel_of_zeros_stays_zero(number: float) -> None:
    numbers, scales = quantized(np.full((2, 3), number, np.float32))

    assert not numbers.any()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_graph_holds_the_narrow_numbers_and_computes_in_float32(precision: Precision) -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 8)).astype(np.float32)

    graph = tf.function(lambda: tf.identity(widened(kernel, precision))).get_concrete_function()

    constants = [op.outputs[0] for op in graph.graph.get_operations() if op.type == "Const"]
    largest = max(constants, key=lambda tensor: int(np.prod(tensor.shape)))
    assert largest.dtype.name == precision
    assert graph().dtype == tf.float32
    assert np.allclose(graph(), kernel, atol={"float32": 0, "float16": 2e-3, "int8": 0.02}[precision])
