"""All pictures and states over one WebSocket, `/ws`: newest wins, for each browser in its own time."""
