"""What is asked of single processes: of a made-up /proc, and of real ones."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from sysmon.collectors._process_probe import ProcessProbe
from tests.collectors.machines import made_of

REAL = ProcessProbe(Path("/proc"))
ME = str(os.getpid())


def stat(state: str, start: int) -> str:
    return f"7 (a ) b) {state} 1 1 1 0 -1 0 1 1 1 1 5 5 0 0 20 0 1 0 {start} 999 10 0 0\n"


def test_a_zombie_and_a_process_that_is_gone_are_not_alive(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/7/stat": stat("S", 70), "proc/8/stat": stat("Z", 80)})

    assert ProcessProbe(source.proc).starts(["7", "8", "9"]) == {"7": 70}


def test_shared_memory_and_slab_are_read_in_bytes(tmp_path: Path) -> None:
    source = made_of(
        tmp_path,
        {
            "proc/7/status": "Name:\tx\nRssAnon:\t 10 kB\nRssShmem:\t     900 kB\n",
            "proc/8/status": "Name:\tx\nRssShmem:\t       0 kB\n",
            "proc/meminfo": "MemTotal: 9 kB\nSlab: 50 kB\nSReclaimable: 30 kB\nSUnreclaim: 20 kB\n",
        },
    )
    probe = ProcessProbe(source.proc)

    assert (probe.shared(["7", "8", "9"]), probe.slab()) == ({"7": 921600.0}, 20480.0)


def test_the_sockets_of_a_process_are_counted_and_other_files_are_not() -> None:
    before = REAL.sockets([ME])[ME]

    with socket.socket(), socket.socket(), Path("/dev/null").open("rb"):
        assert REAL.sockets([ME, "0"]) == {ME: before + 2}


def test_a_child_is_alive_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pid = str(child.pid)
    alive = REAL.starts([pid])
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    dead = REAL.starts([pid])
    child.wait()

    assert (list(alive), dead) == ([pid], {})
