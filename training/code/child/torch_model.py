"""PyTorch: what code may name, and what is known about its model."""

import importlib
import inspect
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from training.code.child.execute import UserError, execute, model_of, where
from training.code.child.later import Later
from training.code.child.reason import reason

_METHODS: Final = ("loss_fn", "optimizer", "metrics")


def names() -> dict[str, Any]:
    """Return the names that code need not import, as in Kafka-ML: torch, nn, models, and ignite's metrics."""
    known: dict[str, Any] = {"torch": torch, "nn": nn, "models": Later("torchvision.models")}
    try:
        metrics = importlib.import_module("ignite.metrics")
    except ImportError:  # code that needs one says so
        return known
    public = getattr(metrics, "__all__", None) or [name for name in dir(metrics) if not name.startswith("_")]
    return {**known, **{name: getattr(metrics, name) for name in public}}


def build(request: dict[str, Any]) -> Any:
    """Run a program and return its model, with weights that were not downloaded. Raises UserError."""
    code = request["code"].replace("pretrained=True", "pretrained=False")
    namespace = execute(request["imports"], code, names())
    model = model_of(namespace, nn.Module, "torch.nn.Module")
    for method in _METHODS:
        if not inspect.ismethod(getattr(model, method, None)):
            raise UserError(f"the code: expected the model to have a method {method}(self)")
        try:
            found = getattr(model, method)()
        except Exception as error:  # the user's code
            raise UserError(f"{where(error)}: {reason(error)}") from None
        if method == "metrics" and not (isinstance(found, dict) and "loss" in found):
            raise UserError('the code: expected metrics() to return a dict with a metric "loss"')
    return model


def trained(model: Any, file: Path, device: str = "cpu") -> Any:
    """Return a model with the weights in a file of torch.save, which must be a state dict of this model."""
    model.load_state_dict(torch.load(file, map_location=device, weights_only=True))
    return model


def import_trained(request: dict[str, Any]) -> None:
    """Load the state dict in the file `trained`. Raises UserError if it is not one of the program's model."""
    model = build(request)
    try:
        trained(model, Path(request["trained"]))
    except Exception as error:
        raise UserError(f"the trained model cannot be loaded: {reason(error)}") from None


def summarise(request: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a Summary, and write the program, which is what a job begins with."""
    model = build(request)
    text = f"{request['imports']}\n{request['code']}" if request["imports"].strip() else request["code"]
    Path(request["file"]).write_text(text)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "text": f"{model}\nParameters: {parameters:,}",
        "inputs": [],
        "outputs": [],
        "parameters": parameters,
        "metrics": [str(name) for name in model.metrics()],
    }
