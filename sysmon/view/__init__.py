"""What the whole machine looked like at an instant: the live view and the look back, drawn by pure functions."""
