"""PyTorch: a state dict, and the code of its model, as a function."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.code.child import torch_model
from training.code.child.execute import UserError


def load(request: dict[str, Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what predicts with the weights in the file `model`, and the code in the file `code`."""
    model = torch_model.build({"imports": "", "code": Path(request["code"]).read_text()})
    state = torch.load(request["model"], map_location="cpu", weights_only=True)
    model.load_state_dict(state)
    model.eval()

    def predict(rows: NDArray[Any]) -> NDArray[Any]:
        if rows.dtype.kind not in "biuf":
            raise UserError(f"the message has {rows.dtype}, but PyTorch's models take numbers")
        with torch.inference_mode():
            found = model(torch.from_numpy(np.array(rows, np.float32)))
        if not isinstance(found, torch.Tensor):
            raise UserError(f"the model gave a {type(found).__name__}: expected a tensor")
        return found.detach().cpu().numpy()  # type: ignore[no-any-return]

    return predict
