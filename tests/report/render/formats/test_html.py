"""The HTML report: one file that holds everything, in which no name is more than text."""

import hashlib
import json
import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.app import catalog
from sysmon.history import Coverage
from sysmon.model import Culprit, Metric, Origin
from sysmon.report.compare import compare
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import html
from sysmon.report.render.html_data import MOST_ALERTS, list_offsets
from sysmon.report.resolution import choose_parts
from sysmon.report.summary import MetricChange, MetricSummary, Report, SeriesSummary, Stats, TableSummary
from sysmon.text.instants import from_ms, to_ms
from tests.report.render.test_formats import report
from tests.report.reports import write_machine

HOSTILE = (
    "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\"> ' \" --> <!--"
)
VOID = {"meta", "img", "br", "link", "input"}


class Elements(HTMLParser):
    """What a browser would make of a page: elements with the names of their attributes, and text by element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


def page(data: Path) -> str:
    """Return the page of the hour."""
    return html.render([report(data)], RenderOptions(UTC))


def payload(text: str) -> Any:
    """Return what the charts of a page are drawn from."""
    return json.loads(Elements(text).texts["script"][0])


def renamed(original: Report, name: str) -> Report:
    """Return a report in which everything that somebody else named has that name."""

    def labels(series: SeriesSummary, number: int) -> SeriesSummary:
        return replace(series, labels=tuple((label, f"{name}{number}") for label, _ in series.labels))

    def table(summary: TableSummary) -> TableSummary:
        series = tuple(labels(each, number) for number, each in enumerate(summary.series))
        return replace(summary, table=replace(summary.table, name=name, help=name, whole=f"{name}0"), series=series)

    culprit = Culprit("1", name, name, name, 9.0, None)
    return replace(
        original,
        origin=Origin(name, {"region": name}),
        tables=tuple(map(table, original.tables)),
        rankings=tuple(
            replace(ranking, groups=tuple(replace(group, labels=(("name", name),)) for group in ranking.groups))
            for ranking in original.rankings
        ),
        alerts=tuple(
            replace(alert, rule=name, condition=name, labels={"x": name}, top=(culprit,), resource="cpu")
            for alert in original.alerts
        ),
        overview=tuple(replace(item, subject=name) for item in original.overview),
        silences=(name,),
    )


@pytest.fixture
def machine(tmp_path: Path) -> Report:
    write_machine(tmp_path)
    return report(tmp_path)


def test_every_element_is_closed_and_of_a_kind_that_can_only_show(tmp_path: Path) -> None:
    write_machine(tmp_path)

    elements = Elements(page(tmp_path))

    dangerous = {"iframe", "object", "embed", "form", "base", "link", "img", "audio", "video"}
    assert (elements.open, {name for name, _ in elements.found} & dangerous) == ([], set())


def test_hostile_names_make_no_element_and_no_attribute(machine: Report) -> None:
    calm, hostile = (Elements(html.render([renamed(machine, name)], RenderOptions(UTC))) for name in ("calm", HOSTILE))

    assert hostile.found == calm.found


def test_hostile_names_are_shown_as_they_are(machine: Report) -> None:
    elements = Elements(html.render([renamed(machine, HOSTILE)], RenderOptions(UTC)))

    assert (elements.texts["h1"], elements.texts["title"][0].startswith(HOSTILE)) == ([f"{HOSTILE} "], True)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("a\u202eb", r"a\xe2\x80\xaeb", id="what turns text around"),
        pytest.param("a\ud800b", r"a\xed\xa0\x80b", id="half a character"),
        pytest.param("a\x00\nb", r"a\x00\x0ab", id="control characters"),
    ],
)
def test_what_cannot_be_shown_is_spelt_out(machine: Report, name: str, shown: str) -> None:
    text = html.render([renamed(machine, name)], RenderOptions(UTC))

    assert (Elements(text).texts["h1"], name in text, len(text.encode()) > 0) == ([f"{shown} "], False, True)


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(tmp_path: Path) -> None:
    write_machine(tmp_path)

    elements = Elements(page(tmp_path))

    def hashed(text: str) -> str:
        return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = next(value for name, value in elements.values if name == "content" and "default-src" in value)
    assert dict(part.strip().split(" ", 1) for part in policy.split(";")) == {
        "default-src": "'none'",
        "script-src": hashed(elements.texts["script"][1]),
        "style-src": hashed(elements.texts["style"][0]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_points_out_of_the_file(tmp_path: Path) -> None:
    write_machine(tmp_path)

    elements = Elements(page(tmp_path))

    names = {value for name, value in elements.values if name == "id"}
    links = {
        value for name, value in elements.values if name in {"src", "href", "action", "data", "poster", "xlink:href"}
    }
    assert (links - {f"#{name}" for name in names}, re.findall(r"url\(|@import", elements.texts["style"][0])) == (
        set(),
        [],
    )


def test_the_library_is_told_with_its_licence() -> None:
    folder = Path(html.__file__).parents[1] / "assets"

    assert (
        "The MIT License" in (folder / "uplot.LICENSE").read_text(),
        "uPlot" in (folder / "uplot.js").read_text(),
    ) == (
        True,
        True,
    )


def test_charts_hold_the_course_of_every_metric_that_moved(tmp_path: Path) -> None:
    write_machine(tmp_path)

    drawn = payload(page(tmp_path))["charts"]

    assert [(chart["unit"], chart["parts"], [line["name"] for line in chart["lines"]]) for chart in drawn][:2] == [
        ("percent", 12, ["cpu_usage_percent"]),
        ("percent", 12, ["0", "1"]),
    ]


def test_a_hole_has_no_numbers_and_a_peak_is_above_its_mean(tmp_path: Path) -> None:
    write_machine(tmp_path)

    line = payload(html.render([report(tmp_path, 60)], RenderOptions(UTC)))["charts"][0]["lines"][0]
    coarse = payload(page(tmp_path))["charts"][0]["lines"][0]

    means, peaks = ([float(value) for value in coarse[name].split(",") if value] for name in ("mean", "peak"))
    assert [place for place, value in enumerate(line["mean"].split(",")) if not value] == [0, 1, 2, 3, 4, 25, 26, 27]
    assert {peak >= mean for mean, peak in zip(means, peaks, strict=True)} == {True}


def test_an_alert_is_drawn_where_its_metric_is(tmp_path: Path) -> None:
    write_machine(tmp_path)

    drawn = payload(page(tmp_path))["charts"]

    assert {
        (alert["name"], line["name"]) for chart in drawn for alert in chart["alerts"] for line in chart["lines"]
    } >= {
        ("cpu-saturated", "cpu_usage_percent"),
        ("disk-full", "/"),
    }
    assert [alert["name"] for alert in drawn[1]["alerts"]] == []


def test_more_alerts_than_a_page_can_show_are_counted(machine: Report) -> None:
    many = replace(machine, alerts=machine.alerts[:1] * (MOST_ALERTS + 7))

    text = html.render([many], RenderOptions(UTC))

    assert (text.count('<li class="critical">'), "7 milder" in text) == (MOST_ALERTS, True)


def test_what_changed_stands_first_and_beside_each_number(machine: Report) -> None:
    doubled = compare(machine, machine, machine.since, machine.until)
    metric = doubled.tables[0].series[0].metrics[0]
    change = MetricChange("cpu", (("core", "<b>"),), metric.metric, 10.0, 30.0, 1.0)
    assert doubled.compared is not None
    changed = replace(doubled, compared=replace(doubled.compared, changes=(change,)))

    elements = Elements(html.render([changed], RenderOptions(UTC)))

    cells = elements.texts["td"]
    start = cells.index("10.0%")
    assert (elements.texts["h2"][0], cells[start : start + 3]) == ("Largest changes", ["10.0%", "30.0%", "+20.0pp"])
    assert elements.texts["th"].count("change") > 5


def test_every_host_has_a_chapter_and_a_link(machine: Report) -> None:
    elements = Elements(html.render([machine, replace(machine, origin=Origin("web-02"))], RenderOptions(UTC)))

    charts = [value for name, value in elements.values if name == "data-chart"]
    assert (elements.texts["h1"], charts == [str(number) for number in range(len(charts))]) == (
        ["web-01 ", "web-02 "],
        True,
    )
    assert [value for name, value in elements.values if name == "href"][:2] == ["#h0", "#h1"]


def test_charts_know_when_clocks_are_put_back() -> None:
    since, until = datetime(2026, 10, 24, 12, 7, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)
    back = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)

    changes = list_offsets(since, until, ZoneInfo("Europe/Berlin"))

    assert changes == [(int(since.timestamp() * 1000), 7200), (int(back.timestamp() * 1000), 3600)]


@given(
    begin=st.integers(0, 50 * 365 * 1440).map(lambda minute: from_ms(minute * 60_000)),
    minutes=st.integers(1, 200 * 1440),
    zone=st.sampled_from(("Europe/Berlin", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")),
)
@settings(max_examples=10, deadline=None)
def test_changes_of_clocks_are_those_of_looking_at_every_quarter_of_an_hour(
    begin: datetime, minutes: int, zone: str
) -> None:
    end = begin + timedelta(minutes=minutes)
    quarter = 900_000
    marks = [to_ms(begin), *range((to_ms(begin) // quarter + 1) * quarter, to_ms(end), quarter)]
    offsets = [
        (ms, int((from_ms(ms).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds())) for ms in marks
    ]

    changes = list_offsets(begin, end, ZoneInfo(zone))

    assert changes == [offsets[0], *(late for early, late in pairwise(offsets) if early[1] != late[1])]


def test_a_page_of_a_thousand_years_looks_at_a_few_instants_only() -> None:
    class Zone(ZoneInfo):
        looks = 0

        def fromutc(self, at: datetime, /) -> datetime:
            Zone.looks += 1
            return super().fromutc(at)

    list_offsets(datetime(1000, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC), Zone("UTC"))

    assert Zone.looks < 30_000


def test_a_day_of_a_machine_with_much_to_tell_is_less_than_a_megabyte() -> None:
    pages = len(html.render([_busy_day()], RenderOptions(UTC)).encode())

    assert 300_000 < pages < 1_000_000


def _busy_day() -> Report:
    """Return a day in which nothing ever stood still: 8 cores, 4 disks, 4 mounts, 3 interfaces."""
    until = datetime(2026, 11, 21, tzinfo=UTC)
    since = until - timedelta(days=1)
    names = {
        "core": ("all", *map(str, range(8))),
        "device": tuple(f"nvme{number}n1" for number in range(4)),
        "mountpoint": ("/", "/home", "/srv", "/var"),
        "interface": ("lo", "eth0", "docker0"),
        "state": ("ESTABLISHED", "LISTEN", "TIME_WAIT"),
        "resource": ("cpu", "memory", "io"),
        "collector": tuple(catalog.tables()),
        "run": ("5f1c",),
    }
    random, whole = Random(7), Coverage(8640, 8640, interval=10.0)  # noqa: S311 - no secret is drawn
    tables = []
    for table in catalog.tables().values():
        if not table.series:
            continue
        series = [
            SeriesSummary(
                tuple((label, name) for label in table.labels),
                whole,
                tuple(_restless(metric, random, since) for metric in table.metrics),
            )
            for name in (names[table.labels[0]] if table.labels else ("",))
        ]
        few = table.whole is not None or (len(table.metrics) == 1 and bool(table.labels))
        tables.append(TableSummary(table, tuple(series), few))
    return Report(Origin("web-01"), since, until, whole, 0.0, tuple(tables), (), (), 0)


def _restless(metric: Metric, random: Random, at: datetime) -> MetricSummary:
    size = 1e9 if metric.unit.startswith("bytes") else 100
    means = tuple(random.expovariate(3 / size) for _ in range(choose_parts(timedelta(days=1))))
    peaks = tuple(mean * (1 + random.random()) for mean in means)
    top = max(peaks)
    return MetricSummary(metric, Stats(8640, top / 3, 0.0, top / 4, top / 2, top / 1.5, top, at), means, peaks)
