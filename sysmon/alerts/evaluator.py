"""Rule evaluator: feeds a sample to every instance of every rule. Which alerts does it raise, keep or end?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sysmon.alerts import follow
from sysmon.alerts.culprit import PROCESS, Culprits, Probe
from sysmon.alerts.notify_policy import Mutes, NotificationPolicy
from sysmon.alerts.rule import InstanceKey, Rule
from sysmon.alerts.rule_state import RuleState
from sysmon.alerts.state_machine import Reason
from sysmon.alerts.state_transfer import have_same_instances
from sysmon.model import AlertEvent, Culprit, Level, Origin, Sample, Table, Transition
from sysmon.text.instants import to_ms

_COLLECTOR = "collector"
_BLAMED = (Transition.FIRED, Transition.ESCALATED)


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What another rule file brought: events, and how many rules it added, changed and removed."""

    events: list[AlertEvent]
    added: int
    changed: int
    removed: int


class Evaluator:
    """Holds the state of all rules.

    Only what is pending or firing is remembered (and whatever rules need that reduce values or ask for silence), so
    memory does not grow with devices that come and go.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        tables: Mapping[str, Table],
        origin: Origin,
        mutes: Mutes | None = None,
        *,
        probe: Probe | None = None,
    ) -> None:
        self._tables = tables
        self._origin = origin
        self._states = {rule.id: RuleState(rule, tables[rule.table], origin) for rule in rules}
        self._collector = tables.get(_COLLECTOR)
        self._culprits = Culprits(tables, probe)
        self._policy = NotificationPolicy(mutes or Mutes())
        self._pending = False

    @property
    def pending(self) -> bool:
        """Say whether something is about to fire."""
        return self._pending

    @property
    def idle(self) -> bool:
        """Say whether nothing is pending, firing or yet to be notified: values that breach no limit change nothing."""
        return not self._policy.is_waiting and all(state.idle for state in self._states.values())

    @property
    def rules(self) -> list[Rule]:
        """Return the rules that hold."""
        return [state.rule for state in self._states.values()]

    def evaluate(self, sample: Sample) -> list[AlertEvent]:
        """Return what one sample changes, in the order of the rules.

        Whether a collector was up is read from the sample's own `collector` rows, which replayed files have too. A
        table that was not due (it has neither such a row nor rows of its own) changes nothing, unless a rule asks
        for its silence.
        """
        up = self._read_collectors_up(sample)
        self._culprits.see(sample, following=self._pending)
        fed: set[str] = set()
        pending = False
        events: list[AlertEvent] = []
        for state in self._states.values():
            rule = state.rule
            rows = sample.rows.get(rule.table, ())
            if rows or rule.table in up or (rule.absent and _is_due(rule, sample.at)):
                fed.add(rule.id)
                changed = state.feed(sample.at, rows, collector_up=up.get(rule.table, False))
                if state.moved:
                    self._mark(state)
                if changed:
                    events += self._finish(state, changed)
                if state.instances and self._culprits.processes_seen:
                    events += self._follow(state, sample.at)
            pending = state.pending or pending
        self._pending = pending
        events += self._settle(sample.at, fed)
        return events

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each alert that fires, in the order of the rules."""
        return [event for state in self._states.values() for event in state.active()]

    def worst(self) -> Level | None:
        """Return the highest level that fires; None when all is well."""
        return max((event.level for event in self.active()), key=lambda level: level.rank, default=None)

    def phases(self) -> list[tuple[tuple[str, ...], str]]:
        """Return the phase of each level of each instance that is not idle: rule, labels and level, then its name."""
        return [
            ((state.rule.id, *key, condition.level.value), latch.phase.name.lower())
            for state in self._states.values()
            for key, instance in state.instances.items()
            if instance.state is not None
            for condition, latch in zip(state.rule.conditions, instance.state.latches, strict=True)
        ]

    def adopt(self, event: AlertEvent) -> bool:
        """Believe an event of the alert log; return whether it is about an instance of a rule that holds."""
        target = self._find(event)
        if target is None:
            return False
        state, key = target
        if event.transition is not Transition.CULPRIT_CHANGED:
            self._policy.recall(state.rule, key, event)
        if event.transition not in {Transition.FLAPPING, Transition.STEADY}:
            state.adopt(key, event)
        return True

    def recall(self, event: AlertEvent) -> None:
        """Take only from an event of the alert log whether people were notified; the state follows from later ones."""
        target = self._find(event)
        if target is not None and event.transition is not Transition.CULPRIT_CHANGED:
            state, key = target
            self._policy.recall(state.rule, key, event)

    def find_instance(self, event: AlertEvent) -> tuple[str, InstanceKey] | None:
        """Return which instance an event is about; None where no rule has such a one."""
        target = self._find(event)
        return None if target is None else (event.rule, target[1])

    def begin(self, at: datetime) -> None:
        """Take the states as they are at an instant: nothing is remembered from before it."""
        for state in self._states.values():
            state.begin(at)

    def resume(self, first_tick: datetime) -> None:
        """Go on after a time in which nobody looked."""
        for state in self._states.values():
            state.resume(first_tick)

    def reload(self, rules: Sequence[Rule], at: datetime) -> ReloadResult:
        """Go on with another set of rules; alerts of those that are gone end."""
        before, self._states = self._states, {}
        events: list[AlertEvent] = []
        added = changed = 0
        for rule in rules:
            old = before.pop(rule.id, None)
            added += old is None
            if old is not None and old.rule == rule:
                self._states[rule.id] = old
                continue
            changed += old is not None
            if old is not None and have_same_instances(old.rule, rule):
                self._states[rule.id], changes = old.replace_rule(rule, at)
                events += self._finish(self._states[rule.id], changes)
                continue
            self._states[rule.id] = RuleState(rule, self._tables[rule.table], self._origin)
            if old is not None:
                events += self._finish(old, old.end(at, Reason.RULE_CHANGED))
        for state in before.values():
            events += self._finish(state, state.end(at, Reason.RULE_REMOVED))
            self._policy.forget_rule(state.rule.id)
        self._pending = any(state.pending for state in self._states.values())
        return ReloadResult(events, added, changed, len(before))

    def _find(self, event: AlertEvent) -> tuple[RuleState, InstanceKey] | None:
        state = self._states.get(event.rule)
        key = None if state is None else state.find_key(event)
        return None if state is None or key is None else (state, key)

    def _mark(self, state: RuleState) -> None:
        """Remember what the processes had used, for instances of which a level has begun to be pending."""
        for instance in state.unmarked:
            instance.mark, instance.marked = self._culprits.mark(), True

    def _finish(self, state: RuleState, changed: Iterable[tuple[InstanceKey, AlertEvent]]) -> list[AlertEvent]:
        """Return events as they are logged: with the culprits, the message, and whether people are notified."""
        events = []
        for key, raw in changed:
            event = raw
            instance = state.instances.get(key)
            if event.transition in _BLAMED and not state.rule.absent:
                mark = None if instance is None else instance.mark
                event = self._culprits.blame(event, state.rule.table, mark, state.rule.attach)
                if instance is not None and event.resource is not None:
                    namer = _Namer(self._culprits, state.rule)
                    instance.trail = follow.begin(event, namer, event.peak, instance.trail)
            if state.rule.message is not None:
                event = replace(event, message=state.rule.message.fill(event))
            logged = self._policy.apply(state.rule, key, event)
            if instance is not None and instance.latest is raw:
                instance.latest = logged[0]
            events += logged
        return events

    def _follow(self, state: RuleState, at: datetime) -> list[AlertEvent]:
        """Bring up to date whom firing alerts name; return what the log says about it, of which nobody is notified."""
        events = []
        for instance in state.instances.values():
            if instance.trail is None or instance.latest is None or instance.state is None or instance.latest.at == at:
                continue
            peak = instance.trail.peak
            changed = follow.follow(instance.trail, _Namer(self._culprits, state.rule), at, instance.state.peak)
            if changed or instance.trail.peak != peak:
                event = state.note_culprits(instance, at)
                if changed and event is not None:
                    events.append(event)
        return events

    def _settle(self, at: datetime, fed: set[str]) -> list[AlertEvent]:
        events = []
        for key, settled in self._policy.settle(at, lambda rule: rule.id in fed):
            event, state = settled, self._states[settled.rule]
            instance = state.instances.get(key)
            if state.rule.message is not None:
                event = replace(event, message=state.rule.message.fill(event))
            if event.transition is Transition.REMINDER and instance is not None:
                instance.latest = event
            events.append(event)
        return events

    def _read_collectors_up(self, sample: Sample) -> dict[str, bool]:
        if self._collector is None:
            return {}
        columns = self._collector.columns
        name, up = columns.index(_COLLECTOR), columns.index("collector_up")
        return {str(row[name]): row[up] == 1 for row in sample.rows.get(_COLLECTOR, ())}


@dataclass(frozen=True, slots=True)
class _Namer:
    """Names the culprits of one rule."""

    culprits: Culprits
    rule: Rule

    def name(self, event: AlertEvent) -> AlertEvent:
        """Return an event with those who use most now."""
        return self.culprits.blame_now(event, self.rule.table, self.rule.attach)

    def starts(self, culprits: tuple[Culprit, ...]) -> Mapping[str, int]:
        """Return when each of those that are alive started."""
        return self.culprits.starts(culprits)


def find_early_tables(evaluator: Evaluator) -> frozenset[str]:
    """Return the tables that should be read at the next tick although their interval has not passed."""
    return frozenset({PROCESS}) if evaluator.pending else frozenset()


def _is_due(rule: Rule, at: datetime) -> bool:
    return to_ms(at) % max(1, round(rule.interval.total_seconds() * 1000)) == 0
