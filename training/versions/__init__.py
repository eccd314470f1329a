"""Versions of trained models in `MODELSTORE`. See README.md."""
