"""Training and inference: what they cost next to the same without Kafka."""
