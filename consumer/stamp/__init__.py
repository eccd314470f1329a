"""Stamps predictions onto JPEGs."""
