"""Renderers of a report: one format a file."""
