"""What a service writes to Kafka and reads from it: frames, predictions, JPEGs."""
