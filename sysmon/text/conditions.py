"""Text of conditions: what the worst value of an alert is called."""


def name_extreme(condition: str) -> str:
    """Return `lowest` for a condition that is breached from below (`< 10 for 1m`), else `peak`."""
    return "lowest" if condition.startswith("<") else "peak"
