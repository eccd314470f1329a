"""Loads what a Kafka-ML has in its database: `python -m training.load_kafka_ml db.sqlite3`."""
