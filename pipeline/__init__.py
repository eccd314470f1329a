"""What two or more services share: the frame on the wire, settings, Kafka clients, the life of a service."""
