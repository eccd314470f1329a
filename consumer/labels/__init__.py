"""The labels of models: what they mean, which formats they may have, and where they come from."""
