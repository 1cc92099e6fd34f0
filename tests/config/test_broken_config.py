"""Configuration files that cannot be used: each says in one line where, what, and what to write instead."""

import socket
from pathlib import Path

import pytest

from sysmon import config
from sysmon.errors import ConfigError

KIB = 1024
LONG = "9" * 400

BROKEN = [
    pytest.param(
        b"interval: 10s \xff\n", "sysmon.yaml:1:15: byte 0xff is not UTF-8: save the file as UTF-8", id="bad bytes"
    ),
    pytest.param(
        "interval: 10s".encode("utf-16"),
        "sysmon.yaml:1:1: byte 0xff is not UTF-8: save the file as UTF-8",
        id="another encoding",
    ),
    pytest.param(
        b"interval: 10s\nrules: \x1b[2J\n",
        "sysmon.yaml:2:8: character U+001B may not stand in YAML: remove it",
        id="a terminal sequence",
    ),
    pytest.param(b"storage:\n\trotation: 1h\n", "sysmon.yaml:2:1: a tab indents this line: use spaces", id="a tab"),
    pytest.param(
        b"interval: 1s\ninterval: 2s\n",
        "sysmon.yaml:2:1: key 'interval' again (first in line 1): keep one",
        id="a key twice",
    ),
    pytest.param(
        b"interval: *base\n",
        "sysmon.yaml:1:11: alias *base: write the values out, or quote a pattern: '*base'",
        id="an alias",
    ),
    pytest.param(
        b"labels: &one {}\n", "sysmon.yaml:1:9: anchor &one: remove it, aliases are not taken", id="an anchor"
    ),
    pytest.param(
        b"interval: !!int 10\n",
        "sysmon.yaml:1:11: tag tag:yaml.org,2002:int: remove it, values are read by what they stand for",
        id="a tag",
    ),
    pytest.param(
        b"interval: 10s\n---\ninterval: 10s\n",
        "sysmon.yaml:2:1: a second document: write one file each",
        id="two documents",
    ),
    pytest.param(
        b"labels: " + b"{a: " * 30 + b"}" * 30,
        "sysmon.yaml:1:82: nested more than 20 deep: flatten it",
        id="nested too deep",
    ),
    pytest.param(
        b"#" * (KIB * KIB + 1), "sysmon.yaml:1:1: more than 1024 KiB: split the file", id="more than a mebibyte"
    ),
    pytest.param(
        b"- interval: 10s\n", "sysmon.yaml:1:1: a list at the top: write `key: value` lines", id="a list at the top"
    ),
    pytest.param(
        b"interval 10s\n", "sysmon.yaml:1:1: a single value at the top: write `key: value` lines", id="a colon missing"
    ),
    pytest.param(
        b"rules: 'mine.yaml\n",
        "sysmon.yaml:2:1: not YAML (found unexpected end of stream): look for a missing quote, colon or indentation",
        id="an open quote",
    ),
    pytest.param(
        b'rules: "\\UFFFFFFFF"\n',
        "sysmon.yaml:1:1: not YAML (a number in it is out of range): look for a wrong escape or directive",
        id="an escape beyond Unicode",
    ),
    pytest.param(
        b"intervall: 10s\n",
        "sysmon.yaml:1:1: unknown key 'intervall' in the configuration: did you mean 'interval'?",
        id="an unknown key at the top",
    ),
    pytest.param(
        b"storage:\n  rotations: 1h\n",
        "sysmon.yaml:2:3: unknown key 'rotations' in storage: did you mean 'rotation'?",
        id="an unknown key in a section",
    ),
    pytest.param(
        b"collectors: {disk: {}}\n",
        "sysmon.yaml:1:14: unknown key 'disk' in collectors: did you mean 'disk_io'?",
        id="an unknown collector",
    ),
    pytest.param(
        b"collectors:\n  network:\n    exlude: [lo]\n",
        "sysmon.yaml:3:5: unknown key 'exlude' in collectors.network: did you mean 'exclude'?",
        id="an unknown setting of a collector",
    ),
    pytest.param(
        b"labels: {owner: me}\n",
        "sysmon.yaml:1:10: unknown key 'owner' in labels: known are datacenter, environment, region, role",
        id="an unknown label",
    ),
    pytest.param(
        b"interval: 10\n",
        "sysmon.yaml:1:11: interval: '10' is no duration: write 10s, 10m or 10h",
        id="a duration without a unit",
    ),
    pytest.param(
        b"interval: 10:30\n",
        "sysmon.yaml:1:11: interval: '10:30' is no duration: write 10s, 5m, 1h30m, 2d or 1w",
        id="a clock time for a duration",
    ),
    pytest.param(
        b"interval: 1ms\n", "sysmon.yaml:1:11: interval: 1ms is too short: write 10ms to 1d", id="an interval too short"
    ),
    pytest.param(
        f"interval: {LONG}s\n".encode(),
        f"sysmon.yaml:1:11: interval: '{'9' * 139}...{'9' * 115}s' is too long: write at most 5200w",
        id="an interval beyond numbers",
    ),
    pytest.param(
        b"storage: {rotation: 7m}\n",
        "sysmon.yaml:1:21: storage.rotation: 7m does not divide a day into equal parts: write 15m, 1h, 6h or 1d",
        id="a rotation that divides no day",
    ),
    pytest.param(
        b"storage: {sync_interval: 2h}\n",
        "sysmon.yaml:1:26: storage.sync_interval: 2h is too long: write 0s to 1h",
        id="a sync too rare",
    ),
    pytest.param(
        b"storage: {max_segment_bytes: 1024}\n",
        "sysmon.yaml:1:30: storage.max_segment_bytes: '1024' is no size: write 1024B or 1024MiB",
        id="a size without a unit",
    ),
    pytest.param(
        b"storage: {max_segment_bytes: 1KiB}\n",
        "sysmon.yaml:1:30: storage.max_segment_bytes: 1KiB is too small: write 64KiB or more",
        id="a size too small",
    ),
    pytest.param(
        f"storage: {{max_segment_bytes: {LONG}TiB}}\n".encode(),
        f"sysmon.yaml:1:30: storage.max_segment_bytes: '{'9' * 122}...{'9' * 107}TiB' is too large: "
        "write at most 8388608TiB",
        id="a size beyond numbers",
    ),
    pytest.param(
        b"storage: {formats: []}\n",
        "sysmon.yaml:1:20: storage.formats is empty: write jsonl or csv, or both as a list",
        id="no format",
    ),
    pytest.param(
        b"storage: {formats: [csv, csv]}\n",
        "sysmon.yaml:1:20: storage.formats holds the same twice: write jsonl or csv, or both as a list",
        id="a format twice",
    ),
    pytest.param(
        b"storage: {formats: [json]}\n",
        "sysmon.yaml:1:21: storage.formats: 'json' is not known: did you mean 'jsonl'?",
        id="an unknown format",
    ),
    pytest.param(
        b"storage: 1h\n", "sysmon.yaml:1:10: storage is a single value: write `key: value` lines", id="no section"
    ),
    pytest.param(
        b"collectors: [cpu]\n",
        "sysmon.yaml:1:13: collectors is a list: write `key: value` lines",
        id="a list of collectors",
    ),
    pytest.param(
        b"collectors: {cpu: {enabled: on}}\n",
        "sysmon.yaml:1:29: collectors.cpu.enabled: 'on' is neither true nor false: write true or false",
        id="on",
    ),
    pytest.param(
        b"collectors: {process: {top: 0}}\n",
        "sysmon.yaml:1:29: collectors.process.top: 0 is too small: write 1 or more",
        id="a number too small",
    ),
    pytest.param(
        b"collectors: {process: {top: 101}}\n",
        "sysmon.yaml:1:29: collectors.process.top: 101 is too large: write 100 or less",
        id="a number too large",
    ),
    pytest.param(
        b"collectors: {process: {top: 017}}\n",
        "sysmon.yaml:1:29: collectors.process.top: '017' is no whole number: write digits only, such as 1",
        id="an octal number",
    ),
    pytest.param(
        b"collectors: {process: {top: 1e2}}\n",
        "sysmon.yaml:1:29: collectors.process.top: '1e2' is no whole number: write digits only, such as 1",
        id="a float for a whole number",
    ),
    pytest.param(
        f"collectors: {{process: {{top: {'9' * 5000}}}}}\n".encode(),
        f"sysmon.yaml:1:29: collectors.process.top: '{'9' * 125}...{'9' * 100}' is no whole number: "
        "write digits only, such as 1",
        id="a number of thousands of digits",
    ),
    pytest.param(
        b"collectors: {network: {exclude: {lo: true}}}\n",
        "sysmon.yaml:1:33: collectors.network.exclude is a mapping: write a single value",
        id="a mapping for a list",
    ),
    pytest.param(
        b"collectors: {network: {exclude: [lo, '']}}\n",
        "sysmon.yaml:1:38: collectors.network.exclude: nothing is given: write a word",
        id="an empty pattern",
    ),
    pytest.param(
        b"collectors: {network: {exclude: [*]}}\n",
        "sysmon.yaml:1:35: an unquoted * starts an alias: quote a pattern, as in '*'",
        id="an unquoted star",
    ),
    pytest.param(
        b"interval: 3s\ncollectors: {cpu: {interval: 4s}}\n",
        "sysmon.yaml:2:30: collectors.cpu.interval 4s is no whole multiple of interval 3s: write 3s or 6s",
        id="an interval that is no multiple",
    ),
    pytest.param(
        b"labels: {region: [eu, us]}\n",
        "sysmon.yaml:1:18: labels.region is a list: write a single value",
        id="a list for a label",
    ),
    pytest.param(
        b'labels: {role: "a\\nb"}\n',
        "sysmon.yaml:1:16: labels.role: 'a\\nb' cannot be a label: write 1 to 64 printable characters",
        id="a label of two lines",
    ),
    pytest.param(
        b"data_dir: ''\n",
        "sysmon.yaml:1:11: data_dir: '' is no path: write the name of a file or folder, without control characters",
        id="an empty path",
    ),
    pytest.param(
        b'rules: "a\\0b"\n',
        "sysmon.yaml:1:8: rules: 'a\\x00b' is no path: write the name of a file or folder, without control characters",
        id="a NUL in a path",
    ),
    pytest.param(
        b"logging: {level: verbose}\n",
        "sysmon.yaml:1:18: logging.level: 'verbose' is not known: known are debug, error, info, warning",
        id="an unknown level",
    ),
    pytest.param(
        b"resource_limits: {cpu_percent: .nan}\n",
        "sysmon.yaml:1:32: resource_limits.cpu_percent: '.nan' is no number: "
        "write a percentage without its sign, such as 5 or 12.5",
        id="not a number",
    ),
    pytest.param(
        b"resource_limits: {cpu_percent: 50%}\n",
        "sysmon.yaml:1:32: resource_limits.cpu_percent: '50%' is no number: "
        "write a percentage without its sign, such as 5 or 12.5",
        id="a percent sign",
    ),
    pytest.param(
        b"resource_limits: {cpu_percent: 0}\n",
        "sysmon.yaml:1:32: resource_limits.cpu_percent: 0 is out of range: write more than 0 and at most 100",
        id="a limit of nothing",
    ),
    pytest.param(
        b"resource_limits: {action: kill}\n",
        "sysmon.yaml:1:27: resource_limits.action: 'kill' is not known: "
        "known are disable_collectors, log, slow_down, stop",
        id="an action that is not supported",
    ),
]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(file: Path) -> str:
    """Return what is said about a file."""
    with pytest.raises(ConfigError) as refused:
        config.load(config=file, environ={"HOME": "/nowhere"})
    return str(refused.value)


@pytest.mark.parametrize(("data", "line"), BROKEN)
def test_a_broken_file_gives_one_line_with_the_way_out(data: bytes, line: str) -> None:
    file = Path("sysmon.yaml")
    file.write_bytes(data)

    assert said(file) == line


def test_a_folder_is_no_configuration_file() -> None:
    Path("folder").mkdir()

    assert said(Path("folder")) == "folder: cannot be read (Is a directory): name another file or mend it"


def test_a_socket_is_no_configuration_file() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        assert (
            said(Path("socket")) == "socket: cannot be read (No such device or address): name another file or mend it"
        )


def test_a_link_that_leads_nowhere_is_not_there() -> None:
    Path("link").symlink_to("nowhere")

    assert said(Path("link")) == "link: named by --config and not there: name another file or create it"


def test_a_link_in_a_circle_is_not_there() -> None:
    Path("link").symlink_to("link")

    assert said(Path("link")) == "link: named by --config and not there: name another file or create it"
