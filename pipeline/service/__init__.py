"""The life of a service: startup, settings, logs, workers, health."""
