"""Readers of stored data: rows of a range from whatever files hold them, and everything that had to be skipped."""
