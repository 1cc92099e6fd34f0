"""`sysmon doctor`: health check of this machine as a place for sysmon."""

import json
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon.cli._options import config_option, data_option, environment, example, form_option, host_option, rules_option

if TYPE_CHECKING:
    from sysmon.app.admin.checks import Check

PROBLEM = 1
SCHEMA = 1
"""Grows when a key changes its meaning or goes; new keys may come without."""

_WIDTH = 79
_INDENT = 23


@click.command(
    short_help="Check this machine for likely problems.",
    epilog=example("sysmon doctor", "sysmon doctor --format json"),
)
@config_option
@data_option
@rules_option
@host_option
@form_option
def command(config_file: Path | None, data_dir: Path | None, rules: Path | None, host: str | None, form: str) -> int:
    """Check the configuration, permissions, file system, limits, clock, sources and samples; say what to do.

    Changes nothing. Exits with 0 if there is no problem and with 1 if there is one; notes are no problems.
    """
    from sysmon import config as configuration
    from sysmon.app.admin import doctor
    from sysmon.app.admin.checks import CheckStatus
    from sysmon.sampling.clock import SystemClock

    load = partial(configuration.load, config=config_file, data=data_dir, rules=rules, environ=environment())
    checks = doctor.run_checks(load, host, now=SystemClock().now())
    problems = [check for check in checks if check.status is CheckStatus.PROBLEM]
    if form == "json":
        click.echo(_as_json(checks, healthy=not problems))
    else:
        for check in checks:
            click.echo(_as_text(check))
    return PROBLEM if problems else 0


def _as_text(check: "Check") -> str:
    status = {"ok": "OK", "note": "note", "problem": "PROBLEM"}[check.status]
    lines = _wrap(check.text, f"{status:<8} {check.subject:<13} ")
    return lines if not check.advice else f"{lines}\n{_wrap(check.advice, ' ' * _INDENT + 'do: ')}"


def _wrap(text: str, begin: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=begin,
        subsequent_indent=" " * _INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _as_json(checks: list["Check"], *, healthy: bool) -> str:
    records = [
        {
            "verdict": check.status.value,
            "subject": check.subject,
            "text": check.text,
            "advice": check.advice or None,
        }
        for check in checks
    ]
    return json.dumps({"schema": SCHEMA, "healthy": healthy, "findings": records}, ensure_ascii=False, indent=1)
