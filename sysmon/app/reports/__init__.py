"""Reports and lists of alerts, put together from the files."""
