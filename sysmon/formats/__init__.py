"""Line formats of rows and records. Pure: used by the writer, the readers and the exports alike."""

CONFIGURED_LABELS = ("environment", "region", "datacenter", "role")
"""The labels that the configuration may give a host; in files they stand between `hostname` and a table's labels."""
