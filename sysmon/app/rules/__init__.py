"""Rules tried on data: tests, backtests, suggestions."""
