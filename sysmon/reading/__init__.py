"""How files are read back: rows of a range from whatever files hold them, and what had to be skipped."""
