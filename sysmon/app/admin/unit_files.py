"""Unit files of the systemd service: units, timers and the user that they run as. Pure text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from sysmon.errors import UsageError

SERVICE, MAINTAIN, EXPORT = "sysmon.service", "sysmon-maintain", "sysmon-export"
USER = "sysmon"
STATE = PurePath("/var/lib/sysmon")
EXPORTS = PurePath("/var/lib/sysmon-export")
SYSTEM_UNITS = PurePath("/etc/systemd/system")
SYSUSERS = PurePath("/etc/sysusers.d/sysmon.conf")

_CONTROL = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}

_HARDENING = """\
UMask=0027
NoNewPrivileges=yes
ProtectSystem=strict
# What is hidden cannot be measured: read-only, so that /home keeps its size; every process and counter stays visible.
ProtectHome=read-only
ProtectProc=default
ProcSubset=all
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
# NETLINK counts sockets, UNIX reaches the service manager and the user database.{network}
RestrictAddressFamilies=AF_UNIX AF_NETLINK{families}
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
"""

_OF_A_PERSON = "NoNewPrivileges=yes\n"
_OWNER = f"""\
User={USER}
Group={USER}
ConfigurationDirectory=sysmon
"""
_STATE = """\
StateDirectory=sysmon
StateDirectoryMode=0750
"""

_RUN = """\
[Unit]
Description=sysmon: what this machine does, in plain files
After=local-fs.target
{needs}StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={run}
ExecReload=/bin/kill -HUP $MAINPID
{environment}{owner}Restart=on-failure
RestartSec=30s
# A run that resource_limits stopped shall stay so.
RestartPreventExitStatus=71
WatchdogSec=60s
TimeoutStopSec=10s
{privileges}
[Install]
WantedBy={target}
"""

_PRIVILEGES = """\
# When memory runs out, others go first: whoever looks into it the next morning needs these files.
OOMScoreAdjust=-500
TasksMax=256
# How much other users' processes read and write is secret: /proc/PID/io asks for the right to look into a process, and,
# being a file that only its owner may open, for the right to open it.
AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH
"""

_CLOSED = {"network": " Nothing here needs the network.", "families": ""}
_OPEN = {"network": " The others are for notify.command.", "families": " AF_INET AF_INET6"}

_JOB = """\
[Unit]
Description={about}
After=local-fs.target
{needs}
[Service]
Type=oneshot
ExecStart={command}
{environment}{owner}{state}Nice=19
IOSchedulingClass=idle
{hardening}"""

_TIMER = """\
[Unit]
Description={about}

[Timer]
OnCalendar={when}
RandomizedDelaySec=15min
Persistent=true

[Install]
WantedBy=timers.target
"""

_SYSUSERS = f"""\
u {USER} - "sysmon, the system monitor" {STATE}
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the units are made from; every path is absolute.

    `program` are the words that start sysmon. `config` and `data` were named, or are None for the usual places.
    `kept` is where the data goes in the end, and `written` are other folders that a run writes to. `network` says
    that alerts are handed to a program, which may need it. `environment` are variables that the units need. `units`
    is the folder of the unit files; `user` says that they are for one person's own service manager.
    """

    program: Sequence[str]
    units: PurePath = SYSTEM_UNITS
    config: PurePath | None = None
    data: PurePath | None = None
    kept: PurePath = STATE
    written: Sequence[PurePath] = ()
    network: bool = False
    exports: PurePath = EXPORTS
    environment: Mapping[str, str] = field(default_factory=dict)
    user: bool = False


def unit_files(setup: Setup) -> dict[PurePath, str]:
    """Return the text of each file by its path."""
    where = [
        *(["--config", str(setup.config)] if setup.config else []),
        *(["--data", str(setup.data)] if setup.data else []),
    ]
    own = setup.kept == STATE
    folders = [*([] if own else [setup.kept]), *setup.written]
    writable = f"ReadWritePaths={' '.join(_word(str(folder)) for folder in folders)}\n" if folders else ""
    closed = _HARDENING.format(**_CLOSED) + writable
    confined = _HARDENING.format(**_OPEN) + writable if setup.network else closed
    shared = {
        "needs": f"RequiresMountsFor={_word(str(setup.kept))}\n",
        "environment": "".join(
            f"Environment={_word(f'{name}={value}')}\n" for name, value in setup.environment.items()
        ),
        "owner": "" if setup.user else _OWNER + (_STATE if own else ""),
    }
    job = {**shared, "hardening": _OF_A_PERSON if setup.user else "CapabilityBoundingSet=\n" + closed}
    exports = "" if setup.user else f"StateDirectory={EXPORTS.name}\n"
    run = _RUN.format(
        **shared,
        run=_command([*setup.program, "run", *where]),
        privileges=_OF_A_PERSON if setup.user else _PRIVILEGES + confined,
        target="default.target" if setup.user else "multi-user.target",
    )
    maintain = _JOB.format(
        **job,
        about="sysmon: delete, sum up and compress what is stored",
        command=_command([*setup.program, "maintain", *where]),
        state="",
    )
    export = _JOB.format(
        **job,
        about="sysmon: copy the rows of the last day",
        command=_command([*setup.program, "export", "--resume", "daily", *where, "-o", f"{setup.exports}/"]),
        state=exports + "# 1: nothing new, which is no failure.\nSuccessExitStatus=1\n",
    )
    texts = {
        SERVICE: run,
        f"{MAINTAIN}.service": maintain,
        f"{MAINTAIN}.timer": _TIMER.format(about="sysmon: look after the stored files once a day", when="03:10"),
        f"{EXPORT}.service": export,
        f"{EXPORT}.timer": _TIMER.format(about="sysmon: copy the rows of each day", when="00:05"),
    }
    files = {setup.units / name: text for name, text in texts.items()}
    return files if setup.user else {**files, SYSUSERS: _SYSUSERS}


def _command(words: Sequence[str]) -> str:
    """Return a command line as systemd.service(5) reads it: `$` stands for a variable unless it is doubled."""
    return " ".join(_word(word).replace("$", "$$") for word in words)


def _word(text: str) -> str:
    """Return one word as systemd.syntax(7) reads it: `%` begins a specifier unless it is doubled.

    Raise UsageError where it would be more than a word: a line break ends the setting, whatever the quotes.
    """
    if not set(text).isdisjoint(_CONTROL):
        raise UsageError(f"{text!r}: a unit file cannot hold control characters: name another path")
    text = text.replace("%", "%%")
    if text and not set(text) & set(" \t'\"\\;"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
