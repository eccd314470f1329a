"""The producer: captures cameras and publishes their frames."""
