"""When to look, and looking: the clock, the schedule, one tick, the loop."""
