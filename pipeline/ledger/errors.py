"""Why the command cannot look."""


class LedgerError(Exception):
    """Nothing can be compared. The text says why in one line, and what to do."""
