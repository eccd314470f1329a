"""The producer: captures one camera and publishes its frames."""
