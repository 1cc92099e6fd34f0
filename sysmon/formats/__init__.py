"""Line formats of rows and records. Pure: used by the writer, the readers and the exports alike."""

CONFIGURED_LABELS = ("environment", "region", "datacenter", "role")
"""The labels that the configuration may give a host; in files they stand between `hostname` and a table's labels."""

HEAD = ("timestamp", "hostname", *CONFIGURED_LABELS)
"""The columns in front of a table's own; exports have all of them, so that files can be joined."""
