"""A made-up machine to measure on: sleeping processes and open connections, in namespaces that hold nothing else."""

import argparse
import ctypes
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

_NAMESPACES = ["--pid", "--net", "--mount-proc", "--fork", "--kill-child"]
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def command(processes: int, sockets: int, inner: Sequence[str]) -> list[str]:
    """Return what runs a command among so many sleepers and sockets; needs root and unshare(1)."""
    crowd = [sys.executable, str(Path(__file__).resolve()), "--processes", str(processes), "--sockets", str(sockets)]
    return ["unshare", *_NAMESPACES, *crowd, "--", *inner]


def loopback_up() -> None:
    """Switch on the loopback interface of a new network namespace."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (_, flags) = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def sleepers(count: int) -> None:
    """Start processes that do nothing, and end when this one does."""
    libc = ctypes.CDLL(None)
    for _ in range(count):
        if os.fork() == 0:
            libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
            signal.pause()
            os._exit(0)


def connections(count: int, kept: ExitStack) -> None:
    """Open so many TCP sockets on the loopback interface, both ends counted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 100), max(hard, count + 100)))
    listener = kept.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
    for _ in range(count // 2):
        kept.enter_context(socket.create_connection(listener.getsockname()))
        kept.enter_context(listener.accept()[0])


def main() -> int:
    """Gather the crowd, run the command, hand on its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--sockets", type=int, default=0)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    loopback_up()
    sleepers(options.processes)
    with ExitStack() as kept:
        connections(options.sockets, kept)
        return os.spawnvp(os.P_WAIT, options.command[0], options.command)


if __name__ == "__main__":
    sys.exit(main())
