"""The ImageNet model, its export, and a model server for machines without Docker."""
