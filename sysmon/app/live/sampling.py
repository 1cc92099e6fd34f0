"""`sysmon top` where no `sysmon run` is at work: samples taken here and now, for whoever looks; nothing is stored."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rule import Rule
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import intervals, tables
from sysmon.app.collectors import build_sampler, hostname
from sysmon.app.live.sources import OwnRecord
from sysmon.app.live.stored import Lookback
from sysmon.config import Config
from sysmon.errors import ConfigError, StorageError
from sysmon.model import Event, Origin, Sample
from sysmon.reading.catalog import Host
from sysmon.sampling.clock import Clock
from sysmon.sampling.loop import Loop, Waiting
from sysmon.sampling.masking import Masking
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.sampling.schedule import Schedule
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.sampling.sleeper import Sleeper
from sysmon.storage.host_writer import host_folder

FIRST_LOOK = 1.0
"""Seconds between the first reading and the only sample where nobody watches."""


class OwnSampling:
    """Samples taken here, for whoever looks; nothing of them is stored."""

    def __init__(self, config: Config, *, clock: Clock) -> None:
        self._clock = clock
        masking = Masking(config.mask, os.urandom(32)) if config.mask else None
        self._sampler, self._governor = build_sampler(config, clock.monotonic, LabelSanitizer(masking))
        self._base = config.interval.total_seconds()
        self.host = hostname()
        remarks = ["no `sysmon run` is at work: sampled here, nothing is stored"]
        rules: Sequence[Rule]
        try:
            rules = load_rules(config.rules, tables(), intervals(config)).rules
        except ConfigError as error:
            rules = []
            remarks.append(f"no alerts: {str(error).splitlines()[0]}")
        try:
            past = _stored_past(config.data_dir, self.host, clock.now())
        except StorageError as error:
            past = None
            remarks.append(str(error))
        evaluator = Evaluator(rules, tables(), Origin(self.host, config.labels))
        own = {COLLECTOR.name: self._base, AGENT.name: self._base}
        self.record = OwnRecord(
            self.host,
            tables(),
            evaluator,
            base=self._base,
            seconds=lambda: self._governor.intervals | own,
            past=past,
            remark="\n".join(remarks),
        )

    def once(self) -> None:
        """Take one sample, a second after the first reading."""
        sleeper = Sleeper(self._clock.monotonic)
        self._sampler.prime()
        if sleeper.until(self._clock.monotonic() + FIRST_LOOK):
            self._loop(sleeper, lambda: None).once()
        self._sampler.close()

    def go(self, waiting: Waiting, seen: Callable[[], None]) -> None:
        """Take samples until `waiting` ends, and say so after each."""
        self._sampler.prime()
        self._loop(waiting, seen).run()
        self._sampler.close()

    def _loop(self, waiting: Waiting, seen: Callable[[], None]) -> Loop:
        def sink(sample: Sample, _events: list[Event]) -> None:
            self.record.add(sample)
            seen()

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


def _stored_past(data: Path, host: str, now: datetime) -> Lookback | None:
    """Return what was stored of this machine before, None where nothing was."""
    folder = host_folder(data, host)
    try:
        return Lookback(Host(folder), tables(), now=now) if folder.is_dir() else None
    except OSError as error:
        raise StorageError(f"{folder}: cannot be read ({error.strerror})") from error
