"""What can go wrong in a command."""


class CommandError(Exception):
    """A command cannot do what it was asked for; the text says why, one line for each cause."""
