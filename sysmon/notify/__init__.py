"""Who is told, and how: the console."""
