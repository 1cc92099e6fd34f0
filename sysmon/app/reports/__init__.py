"""Reports and alert lists: put together from the files for `sysmon report` and `sysmon alerts`."""
