"""Files of a data directory: their names, how they are opened, their lines, and what of them is damaged."""
