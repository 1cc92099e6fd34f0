"""What happened, in a page: numbers over a range, and one renderer a file."""
