"""The detector of coloured shapes, trained here."""
