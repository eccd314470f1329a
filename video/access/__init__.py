"""Who may see what: users, sessions, tokens, and the gate in front of everything the video server answers."""
