"""Makes TCP sockets in many states and prints how many each way of counting sees; meant for a namespace of its own."""

import fcntl
import json
import select
import socket
import struct
import sys
import time
from collections import Counter
from contextlib import suppress

import psutil

from sysmon.collectors import Source
from sysmon.collectors.connections import ConnectionsCollector

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
MADE = {
    "ESTABLISHED": 2 * (2 * 60 + 1 + 2) + 2 * 10,
    "SYN_SENT": 2,
    "SYN_RECV": 0,
    "FIN_WAIT1": 2,
    "FIN_WAIT2": 2 * (20 + 9),
    "TIME_WAIT": 2 * 30,
    "CLOSE": 0,
    "CLOSE_WAIT": 2 * (20 + 9),
    "LAST_ACK": 0,
    "LISTEN": 2 * 2 + 1,
    "CLOSING": 0,
}
"""What `main` makes: the first factor is for IPv4 and IPv6."""

Pair = tuple[socket.socket, socket.socket]


def listening(family: int, address: str, backlog: int = 1024) -> socket.socket:
    listener = socket.socket(family)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind((address, 0))
    listener.listen(backlog)
    return listener


def calling(family: int, listener: socket.socket) -> socket.socket:
    caller = socket.socket(family)
    caller.setblocking(False)
    caller.connect_ex((LOOPBACK[socket.AddressFamily(family)], listener.getsockname()[1]))
    return caller


def pairs(family: int, listener: socket.socket, count: int) -> list[Pair]:
    return [(calling(family, listener), listener.accept()[0]) for _ in range(count)]


def one_family(family: int, address: str) -> list[object]:
    listener = listening(family, address)
    talking, half_closed, left = (pairs(family, listener, count) for count in (60, 20, 9))
    for caller, _ in half_closed:  # FIN_WAIT2 and CLOSE_WAIT
        caller.shutdown(socket.SHUT_WR)
    for caller, _ in left:  # the same, but the kernel keeps the first without a process, in the form of TIME_WAIT
        caller.close()
    for caller, answerer in pairs(family, listener, 30):
        caller.close()
        answerer.close()
    stuffed, other = pairs(family, listener, 1)[0]
    with suppress(BlockingIOError):  # FIN_WAIT1: the end waits behind more than the other side takes
        while stuffed.send(bytes(65536)):
            pass
    stuffed.close()
    deaf = listening(family, address, 0)
    waiting = [calling(family, deaf) for _ in range(2)]  # SYN_SENT: there is room for the first of the two only
    return [listener, talking, half_closed, left, other, deaf, waiting]


def counted() -> dict[str, int]:
    states = Counter(connection.status for connection in psutil.net_connections("tcp"))
    return {state: states[state] for state in MADE}


def main() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    both = listening(socket.AF_INET6, "::")
    kept = [pairs(socket.AF_INET, both, 10), *(one_family(family, address) for family, address in LOOPBACK.items())]
    end = time.monotonic() + 120
    while counted() != MADE and time.monotonic() < end:
        select.select([], [], [], 0.01)
    options = ConnectionsCollector.Options()
    ways = {
        "kernel": ConnectionsCollector(Source(), options),
        "lists": ConnectionsCollector(Source(), options, ask=None),
    }
    seen = {name: dict(collector.read().states) for name, collector in ways.items()}
    sys.stdout.write(json.dumps({**seen, "psutil": counted(), "made": MADE}))
    del kept, both


if __name__ == "__main__":
    main()
