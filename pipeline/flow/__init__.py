"""How frames flow through a service: newest first, at a pace, and counted."""
