"""The user interface of `sysmon run`: lines, status area, sd_notify."""
