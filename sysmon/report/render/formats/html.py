"""HTML report: one file with interactive charts, for any browser, offline; nothing in it reaches out."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from importlib.resources import files

from sysmon.report.render import Format, Medium, RenderOptions
from sysmon.report.render.html_data import encode_payload
from sysmon.report.render.html_page import Page
from sysmon.report.render.html_tables import escape_html
from sysmon.report.render.phrases import Phrases
from sysmon.report.resolution import FINE, choose_parts
from sysmon.report.summary import Report

_SCRIPTS = ("uplot.js", "texts.js", "colours.js", "report.js")
_STYLES = ("uplot.css", "report.css")


def render(reports: Sequence[Report], options: RenderOptions) -> str:
    """Return the page, one chapter a host."""
    page, zone = Page(), options.zone
    hosts = "".join(page.host(Phrases(report, zone), number) for number, report in enumerate(reports))
    script, style = _read_assets(_SCRIPTS), _read_assets(_STYLES)
    names = ", ".join(escape_html(report.origin.hostname) for report in reports)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{build_policy(script, style)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{names}: {escape_html(Phrases(reports[0], zone).span())}</title>\n"
        f"<style>{style}</style>\n</head>\n<body>\n"
        f"{_render_bar(reports)}<main>\n{hosts}</main>\n{_FOOTER}"
        f'<script type="application/json" id="data">{encode_payload(reports, page.drawn, zone)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _trend_points(metrics: Iterable[str], length: timedelta, options: RenderOptions) -> int:
    return choose_parts(length)


FORMAT = Format(
    render,
    audience="for a browser",
    medium=Medium.FILE,
    trend_points=_trend_points,
    rows_up_to=FINE,
    unsupported=frozenset({"by", "bucket"}),  # here every chart is a time table, and shows all series together
)


def build_policy(script: str, style: str) -> str:
    """Return the content security policy: this script and this style run, and nothing is fetched from anywhere."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _read_assets(names: Sequence[str]) -> str:
    folder = files("sysmon.report.render") / "assets"
    return "\n".join((folder / name).read_text("utf-8").strip() for name in names)


def _render_bar(reports: Sequence[Report]) -> str:
    """Return what stays at the top: the hosts where there are several, and what a script does on a click."""
    links = [f'<a href="#h{index}">{escape_html(report.origin.hostname)}</a>' for index, report in enumerate(reports)]
    hosts = "".join(links) if len(links) > 1 else ""
    return f'<div class="bar">\n<nav>{hosts}</nav>\n{_CONTROLS}</div>\n'


_CONTROLS = """<div id="controls" hidden>
<output id="shown"></output>
<button data-do="back" title="Earlier">←</button>
<button data-do="forth" title="Later">→</button>
<button data-do="closer" title="Zoom in">+</button>
<button data-do="wider" title="Zoom out">−</button>
<button data-do="reset" title="The whole range (Esc, or a double click)">reset</button>
<button data-do="theme" title="Light or dark">theme</button>
</div>
<noscript>The charts need JavaScript; tables and numbers do not.</noscript>
"""

_FOOTER = (
    "<footer>Lines are means, the light band above them reaches to the peaks. Drag over a chart to zoom into all of "
    "them; a click on a name hides its line, a double click shows it alone. Gray is time without samples.</footer>\n"
)
