"""The wire format: frames and predictions in Kafka messages, JPEGs."""
