"""What can go wrong with a model."""


class ModelError(Exception):
    """A model did not answer, or not sensibly: `kind` is one word for the counters.

    It is `refused` where the server has found fault with this very question.
    """

    def __init__(self, kind: str, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.refused = refused
