"""The agent: one run of `sysmon run`, put together."""
