"""SQL over the stored rows."""
