"""PyTorch: a state dict, and the code of its model, as a function."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from training.code.child import torch_model
from training.code.child.execute import UserError
from training.code.program import parted
from training.job.child import torch_arrays


def load(request: dict[str, Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what predicts with the weights in the file `model`, and the code in the file `code`."""
    imports, code = parted(Path(request["code"]).read_text())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = torch_model.build({"imports": imports, "code": code}).to(device)
    torch_model.trained(model, Path(request["model"]), device).eval()
    looks_up = any(isinstance(each, nn.Embedding) for each in model.modules())

    def predict(rows: NDArray[Any]) -> NDArray[Any]:
        if rows.dtype.kind not in "biuf":
            raise UserError(f"the message has {rows.dtype}, but PyTorch's models take numbers")
        # As in training: pictures become (colours, height, width), and bytes in them 0 to 1.
        given = torch.from_numpy(torch_arrays.features(rows, keeps_integers=looks_up))
        with torch.no_grad():
            found = model(given.to(device))
        if not isinstance(found, torch.Tensor):
            raise UserError(f"the model gave a {type(found).__name__}: expected a tensor")
        answer: NDArray[Any] = found.cpu().numpy()
        return answer

    return predict
