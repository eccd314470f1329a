"""The code of models: it is checked and built in a restricted process. See README.md."""
