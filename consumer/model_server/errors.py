"""The error that a model's clients raise."""


class ModelError(Exception):
    """A model gave no valid answer; `kind` is one word for the counters.

    It is `refused` if the server rejected this particular request.
    """

    def __init__(self, kind: str, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.refused = refused
