"""The terminal: colour, size, full screen, job control."""
