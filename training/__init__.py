"""Models trained on streams: definitions, data, jobs and results, compatible with Kafka-ML."""
