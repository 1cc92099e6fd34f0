"""Live sampling: `sysmon top` where no recorder runs takes its own samples; nothing is stored."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rule import Rule
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import intervals, tables
from sysmon.app.collectors import build_sampler, hostname, make_probe
from sysmon.app.live.sources import LiveSource
from sysmon.app.live.stored import StoredSnapshots
from sysmon.config import Config
from sysmon.errors import ConfigError, StorageError
from sysmon.model import Event, Origin, Sample
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.reading.seek import DamageOnce
from sysmon.sampling.clock import Clock
from sysmon.sampling.loop import Loop, Waiting
from sysmon.sampling.masking import Masking
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.sampling.schedule import Schedule
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.sampling.sleeper import Sleeper
from sysmon.storage.host_writer import host_folder
from sysmon.storage.lock import is_recording

FIRST_INTERVAL = 1.0
"""Seconds between the first reading and the only sample where nobody watches."""


_BESIDE = "live sampling, not recorded; alerts are those of the running recorder"


class LiveSampling:
    """Samples taken here, for whoever looks; nothing of them is stored."""

    def __init__(self, config: Config, *, clock: Clock) -> None:
        self._clock = clock
        masking = Masking(config.mask, os.urandom(32)) if config.mask else None
        self._sampler, self._governor = build_sampler(config, clock.monotonic, LabelSanitizer(masking))
        self._base = config.interval.total_seconds()
        self.host = hostname()
        alone = ["no recorder running; live sampling, not recorded"]
        rules: Sequence[Rule]
        try:
            rules = load_rules(config.rules, tables(), intervals(config)).rules
        except ConfigError as error:
            rules = []
            alone.append(f"no alerts: {str(error).splitlines()[0]}")
        try:
            past = _open_history(config.data_dir, self.host, clock.now())
        except StorageError as error:
            past = None
            alone.append(str(error))

        def is_recorded() -> bool:
            return past is not None and is_recording(config.data_dir)

        evaluator = Evaluator(rules, tables(), Origin(self.host, config.labels), probe=make_probe(config))
        own = {COLLECTOR.name: self._base, AGENT.name: self._base}
        self.source = LiveSource(
            self.host,
            tables(),
            evaluator,
            base=self._base,
            seconds=lambda: self._governor.intervals | own,
            past=past,
            is_recording=is_recorded,
            remark=lambda: _BESIDE if is_recorded() else "\n".join(alone),
        )

    def take_one(self) -> None:
        """Take one sample, a second after the first reading."""
        sleeper = Sleeper(self._clock.monotonic)
        self._sampler.prime()
        if sleeper.sleep_until(self._clock.monotonic() + FIRST_INTERVAL):
            self._loop(sleeper, lambda: None).once()
        self._sampler.close()

    def run(self, waiting: Waiting, on_sample: Callable[[], None]) -> None:
        """Take samples until `waiting` ends, and say so after each."""
        self._sampler.prime()
        self._loop(waiting, on_sample).run()
        self._sampler.close()

    def _loop(self, waiting: Waiting, on_sample: Callable[[], None]) -> Loop:
        def sink(sample: Sample, _events: list[Event]) -> None:
            self.source.add(sample)
            on_sample()

        return Loop(
            self._sampler,
            Schedule(self._base),
            self._governor,
            clock=self._clock,
            waiting=waiting,
            run="-",
            sink=sink,
            dropped=lambda: 0,
        )


def _open_history(data: Path, host: str, now: datetime) -> StoredSnapshots | None:
    """Return what was stored of this machine before, None where nothing was."""
    folder = host_folder(data, host)
    try:
        if not folder.is_dir():
            return None
        return StoredSnapshots(Archive(data, Host(folder), DamageOnce(), tables()), now=now)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be read ({error.strerror})") from error
