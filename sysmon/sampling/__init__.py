"""Sampling: the clock, the schedule, one tick, the loop."""
