"""Serves labelled frames to browsers and players."""
