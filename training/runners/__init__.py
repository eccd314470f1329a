"""How jobs and inferences are run."""
