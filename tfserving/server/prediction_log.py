"""Replay the logged requests of a model's warm-up file."""

import math
from typing import Any

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel
from tfserving.server.inference.inference import Inference
from tfserving.server.rpc import predict, tasks


def replay(model: SavedModel, log: Any) -> None:
    """Run the request of a PredictionLog on a loaded model, even if it names another one.

    A log without a request is skipped. Raises ServingError if the run fails, or for another kind of log.
    """
    kind = log.WhichOneof("log_type")
    inference = Inference(model, "", math.inf)
    if kind == "predict_log":
        predict.predict(inference, log.predict_log.request)
    elif kind == "classify_log":
        tasks.evaluate(inference, "classify", log.classify_log.request)
    elif kind == "regress_log":
        tasks.evaluate(inference, "regress", log.regress_log.request)
    elif kind == "multi_inference_log":
        tasks.evaluate_all(inference, log.multi_inference_log.request)
    elif kind is not None:
        number = log.DESCRIPTOR.fields_by_name[kind].number
        raise ServingError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {number}")
