"""Reasons not to start, or to stop; each text is a single line."""


class OptionsError(Exception):
    """An option is wrong, or something it names is missing: exit status 2, before anything is started."""


class PartError(Exception):
    """A part cannot be kept running: everything stops, with exit status 1."""


class BrokerError(Exception):
    """The embedded broker cannot be started."""
