"""The command `python -m pipeline.ledger`, which compares what the services count."""
