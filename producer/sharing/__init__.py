"""Cameras that several producers share: from the topic that lists them to the captures of one process."""
