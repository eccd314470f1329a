"""The classifier of emotions on faces."""
