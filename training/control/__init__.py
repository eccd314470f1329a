"""The control topic, which tells jobs what to train on."""
