"""The live view: `sysmon top` and `sysmon show`, on stored rows or on samples of their own."""
