"""How samples reach the disk: one writer thread, one lock."""
