"""Report formats: one a file, each with its `FORMAT`."""
