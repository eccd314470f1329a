"""What trains in the restricted process."""
