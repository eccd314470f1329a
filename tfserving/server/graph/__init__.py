"""SavedModels in memory, and tensors as messages."""
