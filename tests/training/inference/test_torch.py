"""A PyTorch model answers in its restricted process, with the real PyTorch."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.service.workers import Pulse
from tests.parts import ROOT, wait_for
from training.code.program import joined
from training.inference.confined_model import ConfinedModel
from training.inference.model import RefusedError

pytestmark = [pytest.mark.usefixtures("pytorch"), pytest.mark.timeout(300)]

IMPORTS = "from collections import OrderedDict"
CODE = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(OrderedDict(a=nn.Linear(4, 3), b=nn.Dropout(0.9)))
    def forward(self, x):
        return self.layers(x)
    def loss_fn(self): return nn.MSELoss()
    def optimizer(self): return torch.optim.SGD(self.parameters(), lr=0.1)
    def metrics(self): return {"loss": Loss(self.loss_fn())}

model = Net()
"""
SAVE = """\
import sys, torch
weight = torch.arange(12.0).reshape(3, 4)
torch.save({"layers.a.weight": weight, "layers.a.bias": torch.ones(3)}, sys.argv[1])
"""


def test_it_answers_with_the_trained_weights(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(joined(IMPORTS, CODE))
    subprocess.run([sys.executable, "-c", SAVE, str(tmp_path / "model.pth")], check=True, cwd=ROOT)

    def fetch(_: Path) -> Mapping[str, Any]:
        files = {
            name: str(tmp_path / f"model.{ending}") for name, ending in (("model", "pth"), ("code", "py"))
        }
        return {"framework": "pth", **files}

    pulse = Pulse(threading.Event())
    model = ConfinedModel(fetch, timeout=30, read=[tmp_path])
    thread = threading.Thread(target=model.run, args=(pulse,))
    thread.start()
    try:
        wait_for(lambda: model.unready() is None, 120, "the model")
        rows = np.array([[1, 0, 0, 0], [0, 0, 0, 2]], np.uint8)
        assert model.predict(rows, []).tolist() == [[1, 5, 9], [7, 15, 23]]
        with pytest.raises(RefusedError, match="shapes cannot be multiplied"):
            model.predict(rows[:, :3], [])
    finally:
        pulse.stopping.set()
        thread.join(10)
