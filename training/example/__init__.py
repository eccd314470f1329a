"""What a first visit can try with one click."""
