"""The command `python -m producer.cameras`, which lists, changes and checks the cameras of `CAMERASTOPIC`."""
