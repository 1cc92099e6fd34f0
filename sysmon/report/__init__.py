"""What happened in a range of time: a summary, and one renderer a file."""
