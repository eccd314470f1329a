"""Kafka clients for live frames: settings, reader and publisher."""
