"""Where tests look for the configuration of the machine: nowhere."""

NO_MACHINE = {"SYSMON_SYSTEM_ROOT": "/nonexistent"}
"""The variables of an environment in which neither /etc/sysmon nor /var/lib/sysmon is seen."""
