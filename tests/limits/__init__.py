"""The table of limits."""
