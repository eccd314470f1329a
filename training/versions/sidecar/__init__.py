"""Brings new versions to servers on other machines: `python -m training.versions.sidecar`."""
