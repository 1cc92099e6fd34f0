"""Report model: numbers over a range, and in `render/` one format a file."""
