"""When is something wrong? Rules from YAML, a pure state machine, the alert log."""
