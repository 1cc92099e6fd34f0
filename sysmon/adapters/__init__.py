"""Adapters: the only doors to YAML and to DuckDB."""
