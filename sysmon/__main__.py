"""Make `python -m sysmon` the same as `sysmon`."""

from sysmon.cli import main

main()
