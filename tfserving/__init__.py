"""Models, their export, and a model server for machines without Docker."""
