"""Who is told of what? Quiet times, silences, cooldown and flapping mute messages, never the state or the log."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sysmon.alerts.mute_times import Quiet, QuietClock
from sysmon.alerts.rule import Rule
from sysmon.alerts.silences import Replies
from sysmon.model import AlertEvent, Transition

_WORSE = (Transition.FIRED, Transition.ESCALATED)
_SILENT = -1
_FORGET_EVERY = 100


class Mutes:
    """What mutes messages from outside a rule: quiet times of the rule file, and what people have said."""

    def __init__(self, quiet: Iterable[Quiet] = (), replies: Replies | None = None) -> None:
        self.replies = replies or Replies()
        self.set_quiet(quiet)

    def set_quiet(self, quiet: Iterable[Quiet]) -> None:
        """Take the quiet times of another rule file."""
        self._clocks = [QuietClock(one) for one in quiet]

    def why(self, event: AlertEvent) -> str | None:
        """Return why an event is not told; None where it is."""
        for clock in self._clocks:
            if clock.quiet.covers(event.rule, event.level) and clock.is_on(event.at):
                return f"quiet time {clock.quiet.name}"
        silence = self.replies.silencing(event, event.at)
        if silence is not None:
            return f"silence {silence.id}"
        if event.transition is Transition.REMINDER and event.id in self.replies.acknowledged:
            return "acknowledged"
        return None


@dataclass(slots=True)
class _Said:
    """What one instance has been told of: when it fired, the highest level told, and why something is still owed."""

    rule: Rule
    fired: list[datetime] = field(default_factory=list)
    flapping: bool = False
    resolved: datetime | None = None
    told: int = _SILENT
    owed: str | None = None
    latest: AlertEvent | None = None

    @property
    def firing(self) -> bool:
        return self.latest is not None and self.latest.transition is not Transition.RESOLVED


class Teller:
    """Marks each event as told or as muted and why, and adds FLAPPING, STEADY and what was owed."""

    def __init__(self, mutes: Mutes) -> None:
        self._mutes = mutes
        self._said: dict[Hashable, _Said] = {}
        self._waiting: set[Hashable] = set()
        self._calls = 0

    @property
    def owes(self) -> bool:
        """Say whether there may be something to tell without any change."""
        return bool(self._waiting)

    def tell(self, rule: Rule, key: Hashable, event: AlertEvent) -> list[AlertEvent]:
        """Return an event of one instance as it is logged, and FLAPPING where it is one change too many."""
        said = self._said.setdefault((rule.id, key), _Said(rule))
        said.rule = rule
        flaps = self._count(said, event)
        marked = mute(event, self._why(said, event))
        found = [marked]
        if flaps:
            flapping = replace(event, transition=Transition.FLAPPING, reason="flapping")
            flapping = mute(flapping, self._mutes.why(flapping))
            found.append(flapping)
            if flapping.notified:
                said.told = event.level.rank
        self._note(said, marked)
        if said.owed or said.flapping:
            self._waiting.add((rule.id, key))
        elif not said.firing and not rule.flap and not rule.cooldown:
            del self._said[rule.id, key]
        return found

    def recall(self, rule: Rule, key: Hashable, event: AlertEvent) -> None:
        """Take an event of the alert log as told."""
        said = self._said.setdefault((rule.id, key), _Said(rule))
        if event.transition in {Transition.FLAPPING, Transition.STEADY}:
            said.flapping = event.transition is Transition.FLAPPING
        else:
            self._count(said, event)
            self._note(said, event)
        if said.owed or said.flapping:
            self._waiting.add((rule.id, key))

    def after(self, at: datetime, due: Callable[[Rule], bool]) -> list[tuple[Hashable, AlertEvent]]:
        """Return what a tick brings without any change: steadiness, and what was owed while nobody was to be told.

        `due` says whether the tick is one of a rule's table.
        """
        found = []
        for key in sorted(self._waiting, key=repr) if self._waiting else ():
            said = self._said.get(key)
            if said is None:
                self._waiting.discard(key)
                continue
            if due(said.rule):
                found += [(key, event) for event in self._settled(said, at)]
            if not said.owed and not said.flapping:
                self._waiting.discard(key)
        self._calls += 1
        if self._calls % _FORGET_EVERY == 0:
            self._forget(at)
        return found

    def forget_rule(self, rule: str) -> None:
        """Drop all that is remembered of a rule that is gone."""
        for key in [key for key, said in self._said.items() if said.rule.id == rule]:
            del self._said[key]
            self._waiting.discard(key)

    def _count(self, said: _Said, event: AlertEvent) -> bool:
        """Count a FIRED; return whether the instance begins to flap with it."""
        flap = said.rule.flap
        if flap is None or event.transition is not Transition.FIRED:
            return False
        said.fired = [at for at in said.fired if event.at - flap.window < at < event.at] + [event.at]
        begins = not said.flapping and len(said.fired) >= flap.start
        said.flapping = said.flapping or begins
        return begins

    def _why(self, said: _Said, event: AlertEvent) -> str | None:
        """Return why an event is not told; of what nobody was told of, nobody is told that it changed or ended."""
        muted = self._muted(said, event)
        if muted is None and event.transition not in _WORSE and event.transition is not Transition.REMINDER:
            return said.owed
        return muted

    def _muted(self, said: _Said, event: AlertEvent) -> str | None:
        if said.flapping and not (event.transition in _WORSE and event.level.rank > said.told):
            return "flapping"
        cooldown = said.rule.cooldown
        if cooldown and said.resolved is not None and timedelta(0) <= event.at - said.resolved < cooldown:
            return "cooldown"
        return self._mutes.why(event)

    def _note(self, said: _Said, event: AlertEvent) -> None:
        if event.transition is Transition.FIRED and not said.flapping:
            said.told = _SILENT
        if event.notified:
            said.told, said.owed = max(said.told, event.level.rank), None
        elif event.transition in _WORSE:
            said.owed = event.muted_by or "muted"
        if event.transition is Transition.RESOLVED:
            said.resolved, said.owed = event.at, None
        said.latest = event

    def _settled(self, said: _Said, at: datetime) -> list[AlertEvent]:
        flap, latest = said.rule.flap, said.latest
        if latest is None:
            return []
        lasted = (at - latest.since).total_seconds()
        now = replace(latest, at=at, value=None, duration=max(0.0, lasted), trend=(), top=(), unaccounted=None)
        if said.flapping:
            if flap is not None and sum(1 for fired in said.fired if fired > at - flap.window) >= flap.stop:
                return []
            said.flapping = False
            reason = "firing" if said.firing else "calm"
            steady = replace(now, transition=Transition.STEADY, reason=reason)
            steady = mute(steady, self._mutes.why(steady))
            if steady.notified:
                said.owed, said.told = None, latest.level.rank
            return [steady]
        reminder = mute(replace(now, transition=Transition.REMINDER, reason="still firing"), None)
        if said.owed and said.firing and self._muted(said, reminder) is None:
            said.owed, said.told = None, latest.level.rank
            return [reminder]
        return []

    def _forget(self, at: datetime) -> None:
        for key, said in list(self._said.items()):
            window = said.rule.flap.window if said.rule.flap else timedelta(0)
            old = said.latest is None or at - said.latest.at > max(window, said.rule.cooldown)
            if old and not said.firing and not said.flapping:
                del self._said[key]
                self._waiting.discard(key)


def mute(event: AlertEvent, reason: str | None) -> AlertEvent:
    """Return an event as muted for a reason; None means that people are notified of it."""
    return replace(event, notified=reason is None, muted_by=reason)
