import errno
import json
import shutil
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sysmon.collectors import Source
from sysmon.collectors._sockdiag import STATES, RareSockets, parse
from sysmon.collectors.connections import ConnectionsCollector
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

UNSHARE = shutil.which("unshare")
IN_A_NAMESPACE = [UNSHARE or "unshare", "--map-root-user", "--net"]
DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def collector(source: Any) -> ConnectionsCollector:
    return ConnectionsCollector(source, ConnectionsCollector.Options())


def told(here: ConnectionsCollector) -> dict[Any, Any]:
    return {row[0]: row[1] for row in here.rows(None, here.read(), 1.0)}


def in_all(**states: int) -> dict[str, int]:
    return {**dict.fromkeys(STATES.values(), 0), **states}


def namespaces_work() -> bool:
    if UNSHARE is None:
        return False
    return subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def test_every_way_of_counting_sees_the_same_hundreds_of_sockets() -> None:
    if not namespaces_work():
        pytest.skip("no network namespace to be had here")
    command = [*IN_A_NAMESPACE, sys.executable, "-m", "tests.collectors.sockets"]
    root = Path(__file__).parents[2]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=300)

    seen = json.loads(done.stdout)
    assert seen == dict.fromkeys(("kernel", "lists", "psutil", "made"), seen["made"])


def test_a_recorded_machine_is_counted_line_by_line() -> None:
    assert told(collector(recorded("server"))) == in_all(LISTEN=2, ESTABLISHED=3, CLOSE_WAIT=1, TIME_WAIT=1, SYN_RECV=1)


def test_a_machine_without_ipv6_is_counted_all_the_same(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue\n"
    source = made_of(tmp_path, {"proc/net/tcp": f"{head}   0: 00000000:0016 00000000:0000 0A 00000000:00000000\n"})

    assert told(collector(source)) == in_all(LISTEN=1)


def test_where_the_lists_are_hidden_the_counters_know_two_states() -> None:
    assert told(collector(recorded("container"))) == {"ESTABLISHED": 3, "TIME_WAIT": 12}


def test_a_counter_that_is_missing_is_left_out(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/net/sockstat": "sockets: used 15\nTCP: inuse 1 orphan 0 tw 4\n"})

    assert told(collector(source)) == {"TIME_WAIT": 4}


def test_a_counter_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    files = {"proc/net/snmp": "Tcp: CurrEstab\nTcp: ?\n", "proc/net/sockstat": "TCP: inuse 5 tw 3\n"}

    assert collector(made_of(tmp_path, files)).read().states == {"TIME_WAIT": 3}


def test_a_machine_that_tells_nothing_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="net"):
        collector(made_of(tmp_path, {})).read()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/net")
def test_a_kernel_that_does_not_answer_is_asked_once_and_the_lists_are_read() -> None:
    calls = []

    def refuse() -> RareSockets:
        calls.append("sock_diag")
        raise OSError(errno.ENOENT, "no such protocol")

    here = ConnectionsCollector(Source(), ConnectionsCollector.Options(), ask=refuse)
    states = [list(told(here)), list(told(here))]

    assert (calls, states) == (["sock_diag"], [list(STATES.values())] * 2)


def test_a_recorded_machine_is_never_mixed_with_the_one_that_runs() -> None:
    def forbidden() -> RareSockets:
        raise AssertionError("the running kernel was asked")

    here = ConnectionsCollector(recorded("server"), ConnectionsCollector.Options(), ask=forbidden)

    assert told(here)["LISTEN"] == 2


def connections(*states: str) -> Any:
    return lambda kind: [SimpleNamespace(status=state) for state in states if kind == "tcp"]


@pytest.mark.parametrize(
    ("platform", "absent"),
    [
        pytest.param("win32", [], id="Windows tells all"),
        pytest.param("darwin", ["TIME_WAIT"], id="macOS tells only what a process has"),
    ],
)
def test_other_systems_are_counted_by_psutil(platform: str, absent: list[str]) -> None:
    fake = SimpleNamespace(
        net_connections=connections("LISTEN", "ESTABLISHED", "LISTEN", "NONE", "DELETE_TCB"), AccessDenied=OSError
    )

    expected = in_all(LISTEN=2, ESTABLISHED=1)
    assert told(collector(elsewhere(platform, fake))) == {
        state: count for state, count in expected.items() if state not in absent
    }


def test_a_system_that_tells_only_the_administrator_has_no_such_source() -> None:
    def denied(kind: str) -> Any:
        raise PermissionError(kind)

    fake = SimpleNamespace(net_connections=denied, AccessDenied=PermissionError)

    with pytest.raises(Unavailable, match="administrator"):
        collector(elsewhere("darwin", fake)).read()


def answer(state: int, timer: int = 0, *, length: int = 90) -> bytes:
    """Return one socket as the kernel tells it: inet_diag.h, in a message of some length."""
    head = struct.pack("=IHHIIBBBB", length, 20, 2, 1, 0, 2, state, timer, 0)
    return head.ljust(length + 3 & ~3, b"\0")


@pytest.mark.parametrize(
    ("message", "states", "shrunk", "more"),
    [
        pytest.param(DONE, {}, 0, False, id="nothing"),
        pytest.param(b"", {}, 0, True, id="not yet anything"),
        pytest.param(answer(10) + answer(8, length=88) + answer(10), {10: 2, 8: 1}, 0, True, id="a part"),
        pytest.param(answer(4) + DONE, {4: 1}, 0, False, id="the last part"),
        pytest.param(answer(5) + answer(5, 3) + answer(5, 2), {5: 3}, 1, True, id="one in the form of TIME_WAIT"),
        pytest.param(answer(10, 3), {10: 1}, 0, True, id="a timer of another state"),
    ],
)
def test_the_kernels_answer_is_counted(message: bytes, states: dict[int, int], shrunk: int, more: bool) -> None:
    assert parse(message) == (RareSockets(Counter(states), shrunk), more)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param(struct.pack("=IHHIIi", 36, 2, 0, 1, 0, -errno.EPERM), errno.EPERM, id="forbidden"),
        pytest.param(bytes(32), errno.EPROTO, id="a message without a length"),
    ],
)
def test_a_refusal_is_an_error(message: bytes, code: int) -> None:
    with pytest.raises(OSError, match=r".") as error:
        parse(message)

    assert error.value.errno == code
