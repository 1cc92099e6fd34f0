"""What do the files say? Rows of a range from whatever files hold them, and everything that had to be skipped."""
