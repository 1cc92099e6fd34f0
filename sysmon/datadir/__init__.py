"""Names of the files in a data directory."""
