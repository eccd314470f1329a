"""A trained model that answers the messages of a topic: `python -m training.inference`."""
