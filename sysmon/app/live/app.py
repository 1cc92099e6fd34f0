"""Terminal session of `sysmon show` and `sysmon top`: the past or now, from files or from our own samples."""

import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sysmon.app.live.context import DisplayOptions
from sysmon.app.live.sources import FileSource
from sysmon.app.live.viewer import Viewer
from sysmon.app.terminal.color import is_terminal
from sysmon.app.terminal.full_screen import FullScreen
from sysmon.app.terminal.job_control import handle_job_control
from sysmon.app.terminal.size import can_draw
from sysmon.sampling.clock import SystemClock
from sysmon.sampling.sleeper import Sleeper, exit_code

if TYPE_CHECKING:
    from sysmon.app.live.sampling import LiveSampling

POLL = 0.25
"""Seconds between two looks for newer samples in the files."""

SMALLEST = (30, 8)
"""Columns and rows below which a screen makes no sense."""


def is_interactive(environ: Mapping[str, str]) -> bool:
    """Say whether somebody sits at a terminal on which a cursor can move."""
    return is_terminal(0) and is_terminal(1) and can_draw(environ, SMALLEST)


def step_through(source: FileSource, display: DisplayOptions, *, host: str, at: datetime | None) -> int:
    """Show what the files hold, from an instant on (None: the newest), until somebody leaves; return the exit code."""
    clock = SystemClock()
    sleeper = Sleeper(clock.monotonic)
    screen = _open_screen(sleeper)
    viewer = Viewer(source, screen, sleeper, clock=clock, host=host, look=display.look, zone=display.zone, at=at)
    with sleeper.catch_signals(_ending_signals()), handle_job_control(screen), screen.acquired():
        while viewer.sleep_until(clock.monotonic() + POLL):
            if source.poll(clock.now()):
                viewer.refresh()
    return _exit_code(sleeper, viewer)


def watch(sampling: "LiveSampling", display: DisplayOptions) -> int:
    """Show samples as they are taken here, until somebody leaves; return the exit code."""
    clock = SystemClock()
    sleeper = Sleeper(clock.monotonic)
    screen = _open_screen(sleeper)
    viewer = Viewer(
        sampling.source, screen, sleeper, clock=clock, host=sampling.host, look=display.look, zone=display.zone
    )
    with sleeper.catch_signals(_ending_signals()), handle_job_control(screen), screen.acquired():
        sampling.run(viewer, viewer.refresh)
    return _exit_code(sleeper, viewer)


def _exit_code(sleeper: Sleeper, viewer: Viewer) -> int:
    return exit_code(sleeper.stopped_by or (signal.SIGHUP if viewer.gone else None))


def _open_screen(sleeper: Sleeper) -> FullScreen:
    encoding = (sys.stdout.encoding if sys.stdout else None) or "utf-8"
    return FullScreen(0, 1, encoding=encoding, is_stopping=lambda: sleeper.stopped_by is not None)


def _ending_signals() -> set[signal.Signals]:
    return {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
