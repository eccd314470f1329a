"""Random inputs: the property tests with other seeds, and the readers of cameras' bytes with a fuzzer."""
