"""Rule files: YAML becomes checked `Rule` values."""
