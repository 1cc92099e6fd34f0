"""Storage: how samples reach the disk, through one writer thread, under one lock."""
