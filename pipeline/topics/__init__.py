"""The topics that the services need: creates those that are missing, and checks the others."""
