"""The cameras: their newest frames, states, label history and snapshots."""
