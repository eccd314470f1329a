"""One training: `python -m training.job`."""
