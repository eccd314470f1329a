"""Access control: users, sessions, tokens, and the gate in front of all other routes."""
