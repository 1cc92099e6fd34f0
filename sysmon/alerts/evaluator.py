"""Which alerts does a sample raise, keep or end? Feeds every instance of every rule, and names what comes of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sysmon.alerts.culprit import PROCESS, Culprits
from sysmon.alerts.notify_policy import Mutes, Teller
from sysmon.alerts.rule import Rule
from sysmon.alerts.rule_state import Labels, Watch
from sysmon.alerts.state_machine import Reason
from sysmon.alerts.state_transfer import same_instances
from sysmon.model import AlertEvent, Level, Origin, Sample, Table, Transition
from sysmon.text.instants import to_ms

_COLLECTOR = "collector"
_BLAMED = (Transition.FIRED, Transition.ESCALATED)


@dataclass(frozen=True, slots=True)
class Reloaded:
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
        self, rules: Iterable[Rule], tables: Mapping[str, Table], origin: Origin, mutes: Mutes | None = None
    ) -> None:
        self._tables = tables
        self._origin = origin
        self._watches = {rule.id: Watch(rule, tables[rule.table], origin) for rule in rules}
        self._collector = tables.get(_COLLECTOR)
        self._culprits = Culprits(tables)
        self._teller = Teller(mutes or Mutes())
        self._pending = False

    @property
    def pending(self) -> bool:
        """Say whether something is about to fire."""
        return self._pending

    @property
    def idle(self) -> bool:
        """Say whether nothing is pending, firing or still to be told: values that breach no limit change nothing."""
        return not self._teller.owes and all(watch.idle for watch in self._watches.values())

    @property
    def rules(self) -> list[Rule]:
        """Return the rules that hold."""
        return [watch.rule for watch in self._watches.values()]

    def evaluate(self, sample: Sample) -> list[AlertEvent]:
        """Return what one sample changes, in the order of the rules.

        Whether a collector was up is read from the sample's own `collector` rows, which replayed files have too. A
        table that was not due (it has neither such a row nor rows of its own) changes nothing, unless a rule asks
        for its silence.
        """
        up = self._collectors_up(sample)
        self._culprits.see(sample, following=self._pending)
        fed: set[str] = set()
        pending = False
        events: list[AlertEvent] = []
        for watch in self._watches.values():
            rule = watch.rule
            rows = sample.rows.get(rule.table, ())
            if rows or rule.table in up or (rule.absent and _is_due(rule, sample.at)):
                fed.add(rule.id)
                changed = watch.feed(sample.at, rows, collector_up=up.get(rule.table, False))
                if watch.moved:
                    self._mark(watch)
                if changed:
                    events += self._finished(watch, changed)
            pending = watch.pending or pending
        self._pending = pending
        events += self._settled(sample.at, fed)
        return events

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each alert that fires, in the order of the rules."""
        return [event for watch in self._watches.values() for event in watch.active()]

    def worst(self) -> Level | None:
        """Return the highest level that fires; None when all is well."""
        return max((event.level for event in self.active()), key=lambda level: level.rank, default=None)

    def phases(self) -> list[tuple[tuple[str, ...], str]]:
        """Return the phase of each level of each instance that is not idle: rule, labels and level, then its name."""
        return [
            ((watch.rule.id, *map(str, key), condition.level.value), latch.phase.name.lower())
            for watch in self._watches.values()
            for key, instance in watch.instances.items()
            if instance.state is not None
            for condition, latch in zip(watch.rule.conditions, instance.state.latches, strict=True)
        ]

    def adopt(self, event: AlertEvent) -> bool:
        """Believe an event of the alert log; return whether it is about an instance of a rule that holds."""
        found = self._find(event)
        if found is None:
            return False
        watch, key = found
        self._teller.recall(watch.rule, key, event)
        if event.transition not in {Transition.FLAPPING, Transition.STEADY}:
            watch.adopt(key, event)
        return True

    def recall(self, event: AlertEvent) -> None:
        """Take an event of the alert log as told, and nothing more: what came of it is known from later ones."""
        found = self._find(event)
        if found is not None:
            self._teller.recall(found[0].rule, found[1], event)

    def instance_of(self, event: AlertEvent) -> tuple[str, Labels] | None:
        """Return which instance an event is about; None where no rule has such a one."""
        found = self._find(event)
        return None if found is None else (event.rule, found[1])

    def begin(self, at: datetime) -> None:
        """Take what is known as of an instant: before it nothing is known."""
        for watch in self._watches.values():
            watch.begin(at)

    def resume(self, first_tick: datetime) -> None:
        """Go on after a time in which nobody looked."""
        for watch in self._watches.values():
            watch.resume(first_tick)

    def reload(self, rules: Sequence[Rule], at: datetime) -> Reloaded:
        """Go on with another set of rules; alerts of those that are gone end."""
        before, self._watches = self._watches, {}
        events: list[AlertEvent] = []
        added = changed = 0
        for rule in rules:
            old = before.pop(rule.id, None)
            added += old is None
            if old is not None and old.rule == rule:
                self._watches[rule.id] = old
                continue
            changed += old is not None
            if old is not None and same_instances(old.rule, rule):
                self._watches[rule.id], told = old.replaced_by(rule, at)
                events += self._finished(self._watches[rule.id], told)
                continue
            self._watches[rule.id] = Watch(rule, self._tables[rule.table], self._origin)
            if old is not None:
                events += self._finished(old, old.ended(at, Reason.RULE_CHANGED))
        for watch in before.values():
            events += self._finished(watch, watch.ended(at, Reason.RULE_REMOVED))
            self._teller.forget_rule(watch.rule.id)
        self._pending = any(watch.pending for watch in self._watches.values())
        return Reloaded(events, added, changed, len(before))

    def _find(self, event: AlertEvent) -> tuple[Watch, Labels] | None:
        watch = self._watches.get(event.rule)
        key = None if watch is None else watch.key_of(event)
        return None if watch is None or key is None else (watch, key)

    def _mark(self, watch: Watch) -> None:
        """Remember what the processes had used, for instances of which a level has begun to be pending."""
        for instance in watch.unmarked():
            instance.mark, instance.marked = self._culprits.mark(), True

    def _finished(self, watch: Watch, changed: Iterable[tuple[Labels, AlertEvent]]) -> list[AlertEvent]:
        """Return events as they are logged: with the culprits, the message, and whether they are told."""
        found = []
        for key, raw in changed:
            event = raw
            instance = watch.instances.get(key)
            if event.transition in _BLAMED and not watch.rule.absent:
                mark = None if instance is None else instance.mark
                event = self._culprits.blamed(event, watch.rule.table, mark, watch.rule.attach)
            if watch.rule.message is not None:
                event = replace(event, message=watch.rule.message.filled(event))
            told = self._teller.tell(watch.rule, key, event)
            if instance is not None and instance.latest is raw:
                instance.latest = told[0]
            found += told
        return found

    def _settled(self, at: datetime, fed: set[str]) -> list[AlertEvent]:
        found = []
        for key, event in self._teller.after(at, lambda rule: rule.id in fed):
            watch = self._watches[event.rule]
            assert isinstance(key, tuple)  # noqa: S101 - the rule's id and the instance, as it was given above
            instance = watch.instances.get(key[1])
            if watch.rule.message is not None:
                event = replace(event, message=watch.rule.message.filled(event))
            if event.transition is Transition.REMINDER and instance is not None:
                instance.latest = event
            found.append(event)
        return found

    def _collectors_up(self, sample: Sample) -> dict[str, bool]:
        if self._collector is None:
            return {}
        columns = self._collector.columns
        name, up = columns.index(_COLLECTOR), columns.index("collector_up")
        return {str(row[name]): row[up] == 1 for row in sample.rows.get(_COLLECTOR, ())}


def wanted(evaluator: Evaluator) -> frozenset[str]:
    """Return the tables that should be read at the next tick although their interval has not passed."""
    return frozenset({PROCESS}) if evaluator.pending else frozenset()


def _is_due(rule: Rule, at: datetime) -> bool:
    return to_ms(at) % max(1, round(rule.interval.total_seconds() * 1000)) == 0
