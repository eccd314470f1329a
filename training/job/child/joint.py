"""The parts of a chain as one Keras model."""

from collections.abc import Sequence
from typing import Any

import keras

from training.code.child.execute import UserError
from training.code.child.reason import reason

NAME = "part_{}"
"""The name of a part's prediction among the outputs."""


class Joint(keras.Model):  # type: ignore[misc]
    """Gives the predictions of all parts. Output 0 of each part is the input of the one above it.

    All predictions are trained on the same labels.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        super().__init__()
        self.parts = [*parts]
        self._names = [NAME.format(number) for number in range(len(self.parts))]

    def call(self, x: Any, training: bool = False) -> dict[str, Any]:
        """Return the predictions by their names."""
        found = {}
        for name, part in zip(self._names, self.parts, strict=True):
            outputs = keras.tree.flatten(part(x, training=training))
            x, found[name] = outputs[0], outputs[-1]
        return found

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **more: Any
    ) -> Any:
        """Return the weighted sum of the losses of all parts."""
        return super().compute_loss(x, self._each(y), y_pred, self._each(sample_weight), **more)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the metrics; the name of a part precedes its own."""
        return super().compute_metrics(x, self._each(y), y_pred, self._each(sample_weight))

    def _each(self, value: Any) -> dict[str, Any] | None:
        return None if value is None else dict.fromkeys(self._names, value)


def compiled(parts: Sequence[Any], request: dict[str, Any]) -> Joint:
    """Return the joint model as the deployment trains it. Raises UserError for names that Keras lacks."""
    joint = Joint(parts)
    try:
        optimizer = keras.optimizers.get(request["optimizer"])
        optimizer.learning_rate = request["learning_rate"]
        names = [NAME.format(number) for number in range(len(parts))]
        joint.compile(
            optimizer=optimizer,
            loss={name: keras.losses.get(request["loss"]) for name in names},
            metrics={name: [*request["metrics"]] for name in names},
            loss_weights=dict(zip(names, request["loss_weights"], strict=True)),
        )
        joint(keras.Input(parts[0].inputs[0].shape[1:], dtype=parts[0].inputs[0].dtype))
    except Exception as error:
        raise UserError(f"the parts cannot be trained together: {reason(error)}") from None
    return joint
