"""Export: stored rows into files for other programs."""
