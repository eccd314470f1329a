"""SavedModels in memory, and tensors as protobuf messages."""
