"""Text: units, instants, names, cells; how values are written."""
