"""Reads frames, asks the models what they show, stamps the answers and publishes the frames."""
