"""What is raised for data that cannot be used."""


class DataError(ValueError):
    """The data cannot be used for training: one line says what was expected, what was found, and where."""


class DeletedError(DataError):
    """Kafka has deleted part of the ranges; `remaining` is what it still has, in the notation of ranges."""

    def __init__(self, text: str, remaining: str) -> None:
        super().__init__(text)
        self.remaining = remaining
