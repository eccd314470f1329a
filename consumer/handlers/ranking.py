"""The likeliest of a model's labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.predictions import Result


def ranked(
    scores: NDArray[np.float64], labels: Sequence[str], top: int, threshold: float
) -> tuple[Result, ...]:
    """Return the likeliest labels, at most `top`, with scores of `threshold` at least.

    There is a score in 0..1 for each label; of two that are equal the first label comes first.
    """
    order = np.argsort(-scores, kind="stable")[:top]
    return tuple(Result(labels[i], float(scores[i])) for i in order if scores[i] >= threshold)
