"""Why compose does not start, or does not go on; each text is one line."""


class OptionsError(Exception):
    """What was asked for cannot be done: exit status 2, before anything is started."""


class PartError(Exception):
    """A part cannot be kept running, or no camera delivers: everything is stopped, exit status 1."""


class BrokerError(Exception):
    """The embedded broker cannot be had."""
