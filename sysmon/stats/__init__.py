"""Statistics: numbers that sum up numbers."""
