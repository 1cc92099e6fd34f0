"""Views of the whole machine at an instant, live or past, drawn by pure functions."""
