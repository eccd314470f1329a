"""The flow of frames through a service: newest first, at a pace, counted, for a limited number of cameras."""
