"""Sampling intervals: all are whole multiples of the smallest, so that ticks coincide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sysmon.text.units import format_duration


@dataclass(frozen=True, slots=True)
class CollectorInterval:
    """How often one collector would be read: as `asked` for, else by its `default`, else by the general interval."""

    enabled: bool = True
    asked: timedelta | None = None
    default: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Base:
    """The interval of the ticks, and the setting that it comes from."""

    span: timedelta
    origin: str


def find_base(wishes: Mapping[str, CollectorInterval], general: timedelta, *, forced: timedelta | None = None) -> Base:
    """Return the smallest interval of the enabled collectors, or the forced one.

    Built-in defaults give way to everything that was asked for, so they count only where nothing else is enabled.
    """
    if forced is not None:
        return Base(forced, "--interval")
    enabled = {name: wish for name, wish in wishes.items() if wish.enabled}
    candidates = [Base(wish.asked, f"collectors.{name}.interval") for name, wish in enabled.items() if wish.asked]
    if not enabled or any(wish.asked is None and wish.default is None for wish in enabled.values()):
        candidates.append(Base(general, "interval"))
    if not candidates:
        defaults = {name: wish.default for name, wish in enabled.items() if wish.default}
        name = min(defaults, key=defaults.__getitem__)
        return Base(_round_up(defaults[name], general), f"collectors.{name}.interval")
    return min(candidates, key=lambda base: base.span)


def fit_interval(wish: CollectorInterval, general: timedelta, base: Base) -> timedelta:
    """Return a collector's interval; what is no multiple of the base is rounded up to the next one."""
    span = wish.asked or wish.default or general
    return _round_up(span, base.span) if wish.enabled else span


def describe_misfit(setting: str, span: timedelta, base: Base) -> str | None:
    """Return what is wrong with an interval that was asked for, and what to write instead; None where it fits."""
    if not span % base.span:
        return None
    above = _round_up(span, base.span)
    ways = [format_duration(way) for way in (above - base.span, above) if way]
    problem = f"{setting} {format_duration(span)} is no whole multiple of {base.origin} {format_duration(base.span)}"
    return f"{problem}: write {' or '.join(ways)}"


def _round_up(span: timedelta, base: timedelta) -> timedelta:
    return -(-span // base) * base
