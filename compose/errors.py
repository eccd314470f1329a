"""Reasons not to start, or to stop."""


class OptionsError(Exception):
    """Options or settings are wrong, or something they name is missing: a line for each.

    The exit status is 2, before anything is started.
    """


class PartError(Exception):
    """A part cannot be kept running: everything stops, with this exit status. The text is a single line."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class BrokerError(Exception):
    """The embedded broker cannot be started."""
