"""The models: networks, weights, and their export, one folder per model."""
