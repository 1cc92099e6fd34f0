"""The HTML report in a real browser: charts can be looked into, and the page reaches for nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sysmon.model import Origin
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import html
from tests.integration import processes
from tests.report.render.browser import PROGRAM, Browser, browser
from tests.report.render.formats.test_html import HOSTILE, renamed
from tests.report.render.test_formats import report
from tests.report.reports import write_machine

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium here: the page is not tried in a browser")

FIRST = "document.querySelector('figure[data-chart]')"
INKED = """[...document.querySelectorAll('canvas')].map(canvas => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) found.add(data.slice(at, at + 3).join());
    return found.size;
})"""
"""How many colours each chart has."""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the small machine's hour, minute by minute."""
    folder = tmp_path_factory.mktemp("page")
    write_machine(folder / "data")
    path = folder / "hour.html"
    path.write_text(html.render([report(folder / "data", 60)], RenderOptions(UTC)))
    return path


def plot(chromium: Browser, number: int = 0) -> tuple[float, float, float, float]:
    """Bring a chart into view; return where its plotting area is: left, top, width and height."""
    chart = f"document.querySelectorAll('figure[data-chart]')[{number}]"
    chromium.run(f"{chart}.scrollIntoView({{block: 'center'}})")
    chromium.settle()
    left, top, width, height = chromium.run(
        f"(box => [box.x, box.y, box.width, box.height])({chart}.querySelector('.u-over').getBoundingClientRect())"
    )
    return left, top, width, height


def at(box: tuple[float, float, float, float], across: float, down: float = 0.5) -> tuple[float, float]:
    """Return the point at a share of a chart's width and height."""
    left, top, width, height = box
    return left + width * across, top + height * down


def texts(chromium: Browser, selector: str) -> list[str]:
    """Return what is written in the elements of a kind."""
    contents: list[str] = chromium.run(f"[...document.querySelectorAll({selector!r})].map(one => one.textContent)")
    return contents


def test_every_chart_is_drawn_and_nothing_is_fetched_or_complained_about(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=6000)

    colours = chromium.run(INKED)

    figures = chromium.run("document.querySelectorAll('figure[data-chart]').length")
    assert (len(colours), min(colours) > 3) == (figures, True)
    assert (chromium.requests(), chromium.complaints()) == ([page.as_uri()], [])


def test_a_chart_is_drawn_when_it_comes_into_view(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=300)
    before = chromium.run("document.querySelectorAll('canvas').length")

    plot(chromium)

    assert before < chromium.run("document.querySelectorAll('canvas').length")


def test_the_pointer_shows_values_in_its_chart_and_in_all_others(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=6000)

    chromium.mouse("mouseMoved", *at(plot(chromium), 40.5 / 60))
    chromium.settle()

    tip = texts(chromium, ".tip:not([hidden])")
    values = texts(chromium, "figure[data-chart] .legend span")
    assert tip == ["12:40 – 12:41cpu_usage_percent70.0 %CRITICAL cpu-saturated"]
    assert values[:4] == ["70.0 %", "75.0 %", "65.0 %", "2.40"]


def test_times_are_those_of_the_report_wherever_it_is_looked_at(chromium: Browser, tmp_path: Path) -> None:
    write_machine(tmp_path / "data")
    path = tmp_path / "hour.html"
    path.write_text(html.render([report(tmp_path / "data", 60)], RenderOptions(ZoneInfo("Asia/Kolkata"))))

    chromium.show(path, height=2000)
    chromium.mouse("mouseMoved", *at(plot(chromium), 40.5 / 60))
    chromium.settle()

    assert texts(chromium, ".tip:not([hidden])")[0][:13] == "18:10 – 18:11"


def test_where_nothing_was_sampled_there_is_no_value(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=2000)

    chromium.mouse("mouseMoved", *at(plot(chromium), 26.5 / 60))
    chromium.settle()

    assert texts(chromium, ".tip:not([hidden])") == ["12:26 – 12:27no sample"]


def test_dragging_zooms_all_charts_and_escape_shows_the_whole_again(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=2000)
    box = plot(chromium)

    chromium.drag(at(box, 0.5), at(box, 0.75))
    zoomed = texts(chromium, "#shown")
    chromium.mouse("mouseMoved", *at(plot(chromium, 1), 0.5))
    chromium.settle()
    in_the_middle = texts(chromium, ".tip:not([hidden])")[0][:13]
    chromium.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")

    assert (zoomed, in_the_middle, texts(chromium, "#shown")) == (["12:30 – 12:45"], "12:37 – 12:38", [""])


def test_a_look_at_an_alert_zooms_to_it_and_brings_its_chart(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=500)
    look = "[...document.querySelectorAll('.alerts button')]"

    chromium.run(f"{look}[0].click()")
    chromium.settle()

    box = chromium.run(f"(box => [box.top, box.bottom])({FIRST}.getBoundingClientRect())")
    assert (texts(chromium, "#shown"), box[0] < 250 < box[1]) == (["12:33 – 12:51"], True)


def test_arrow_keys_go_from_sample_to_sample(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=2000)
    plot(chromium)
    place = f"{FIRST}.querySelector('.plot')"

    chromium.run(f"{place}.focus()")
    for key in [*["ArrowRight"] * 40, "ArrowLeft"]:
        chromium.run(f"{place}.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))")
    chromium.settle()

    values = texts(chromium, "figure[data-chart] .legend span")
    assert (texts(chromium, ".tip:not([hidden])")[0][:13], values[:3]) == (
        "12:39 – 12:40",
        ["17.5 %", "23.0 %", "12.0 %"],
    )


def test_buttons_zoom_and_move_as_dragging_does(chromium: Browser, page: Path) -> None:
    chromium.show(page)

    shown = []
    for name in ("closer", "back", "forth", "forth", "wider"):
        chromium.run(f"document.querySelector('[data-do={name}]').click()")
        shown += texts(chromium, "#shown")

    assert shown == ["12:15 – 12:45", "12:00 – 12:30", "12:15 – 12:45", "12:30 – 13:00", ""]


def test_a_name_in_the_legend_hides_its_curve_and_shows_it_alone(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=2000)
    plot(chromium, 1)
    cores = "[...document.querySelectorAll('figure[data-chart]')[1].querySelectorAll('.legend button')]"
    pressed = f"{cores}.map(one => one.getAttribute('aria-pressed')).join()"

    states = [chromium.run(pressed)]
    chromium.run(f"{cores}[0].click()")
    states.append(chromium.run(pressed))
    chromium.run(f"{cores}[0].dispatchEvent(new MouseEvent('dblclick'))")
    states.append(chromium.run(pressed))
    chromium.run(f"{cores}[1].dispatchEvent(new MouseEvent('dblclick'))")
    states.append(chromium.run(pressed))

    assert states == ["true,true", "false,true", "true,false", "false,true"]


def test_the_theme_is_the_systems_until_somebody_chooses(chromium: Browser, page: Path) -> None:
    def ground() -> Any:
        return chromium.run("getComputedStyle(document.body).backgroundColor")

    colours = []
    for scheme in ("light", "dark"):
        chromium.show(page, scheme=scheme)
        colours.append(ground())
        chromium.run("document.querySelector('[data-do=theme]').click()")
        colours.append(ground())

    light, dark, *others = colours
    assert (light != dark, others) == (True, [dark, light])


def test_a_phone_never_scrolls_sideways(chromium: Browser, page: Path) -> None:
    chromium.show(page, width=390, height=844)
    chromium.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    chromium.settle()

    assert chromium.run("document.documentElement.scrollWidth") == 390


def test_all_charts_are_there_when_the_page_is_printed(chromium: Browser, page: Path) -> None:
    chromium.show(page, height=300, scheme="dark")

    chromium.ask("Page.printToPDF")

    assert chromium.run(
        "document.querySelectorAll('canvas').length === document.querySelectorAll('figure[data-chart]').length"
    )


def test_hostile_names_are_nothing_but_text(chromium: Browser, tmp_path: Path) -> None:
    write_machine(tmp_path / "data")
    hostile = renamed(report(tmp_path / "data", 60), HOSTILE)
    path = tmp_path / "hostile.html"
    path.write_text(html.render([hostile, replace(hostile, origin=Origin(HOSTILE))], RenderOptions(UTC)))

    chromium.show(path, height=9000)

    chromium.mouse("mouseMoved", *at(plot(chromium), 0.9))
    chromium.settle()
    assert (chromium.run("document.title")[: len(HOSTILE)], chromium.run("document.images.length")) == (HOSTILE, 0)
    assert (chromium.requests(), chromium.complaints()) == ([path.as_uri()], [])


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/'}))", id="a picture"),
        pytest.param("fetch('http://127.0.0.1:9/').catch(() => 0)", id="data"),
        pytest.param(
            "document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))",
            id="another script",
        ),
        pytest.param("document.body.insertAdjacentHTML('beforeend', '<b style=\"color:red\">')", id="another style"),
    ],
)
def test_what_somebody_smuggled_in_would_not_run(chromium: Browser, page: Path, attempt: str) -> None:
    chromium.show(page)

    chromium.run(f"({attempt}, 0)")
    chromium.wait_for("Log.entryAdded")

    assert "Content Security Policy" in chromium.complaints()[0]


def test_the_page_of_a_real_run_is_drawn(chromium: Browser, tmp_path: Path) -> None:
    processes.run(tmp_path, "--interval", "1s", "--ticks", "2")
    path = tmp_path / "real.html"

    done = processes.answer(
        "report", "--data", str(tmp_path / "data"), "--since", "1m", "--format", "html", "-o", str(path)
    )
    chromium.show(path, height=9000)

    assert (done.returncode, done.stdout, min(chromium.run(INKED)) > 2) == (0, "", True)
    assert (chromium.requests(), chromium.complaints()) == ([path.as_uri()], [])
