"""The number formats in which kernels are stored.

The graph always computes in float32; `layers` converts the kernels.
"""

from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from tfserving.models.weights import FloatArray

Precision = Literal["float32", "float16", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)


def quantized(kernel: FloatArray, channels: int = -1) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Return a kernel as integers in -127..127, and the scales to multiply them with.

    There is one scale per output channel, along the axis `channels`. In each channel, the largest magnitude
    is 127. Channels of zeros, or of numbers of which a 127th rounds to zero, become zeros.
    """
    others = tuple(axis for axis in range(kernel.ndim) if axis != channels % kernel.ndim)
    largest = np.abs(kernel).max(axis=others, keepdims=True)
    scales = (largest / 127).astype(np.float32)
    scales[scales == 0] = 1
    return np.rint(kernel / scales).astype(np.int8), scales
