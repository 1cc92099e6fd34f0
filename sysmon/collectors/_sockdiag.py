"""Socket states over netlink (sock_diag): asked for the states that few sockets are in.

`/proc/net/tcp` writes a line of text for every socket, which costs 10 µs each; asked like this (sock_diag(7)) the
kernel passes over the many sockets that are established or in TIME_WAIT without a word.
"""

import errno
import os
import socket
import struct
import sys
from collections import Counter
from dataclasses import dataclass

from sysmon.collectors._kernel_file import Descriptor

# The kernel's numbers, from include/net/tcp_states.h.
ESTABLISHED, TIME_WAIT, FIN_WAIT2 = 1, 6, 5
STATES = {
    ESTABLISHED: "ESTABLISHED",
    2: "SYN_SENT",
    3: "SYN_RECV",
    4: "FIN_WAIT1",
    FIN_WAIT2: "FIN_WAIT2",
    TIME_WAIT: "TIME_WAIT",
    7: "CLOSE",
    8: "CLOSE_WAIT",
    9: "LAST_ACK",
    10: "LISTEN",
    11: "CLOSING",
}
_RARE = sum(1 << state for state in STATES if state not in {ESTABLISHED, TIME_WAIT})

_NETLINK_SOCK_DIAG = 4
# The first form of the request (inet_diag_req) is answered for IPv4 and IPv6 in one walk over the sockets. The second
# form (inet_diag_req_v2) names one family, and two walks cost twice as much.
_TCPDIAG_GETSOCK = 18
_REQUEST_AND_DUMP = 0x301
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=4B48xII")  # inet_diag_req: family, lengths, extensions, no address, states, no dump state
_ANSWER = struct.Struct("=IH10xxBB")  # nlmsghdr: length, type; inet_diag_msg: state, timer
_QUESTION = _HEADER.pack(_HEADER.size + _REQUEST.size, _TCPDIAG_GETSOCK, _REQUEST_AND_DUMP, 1, 0) + _REQUEST.pack(
    0, 0, 0, 0, _RARE, 0
)
_ERROR, _DONE = 2, 3
_TIMER_OF_TIME_WAIT = 3
_BUFFER = 65536
_SECONDS = struct.pack("@ll", 1, 0)


@dataclass(frozen=True, slots=True)
class RareSockets:
    """How many sockets are in each state, ESTABLISHED and TIME_WAIT left out.

    `shrunk` of those in FIN_WAIT2 are kept in the short form of TIME_WAIT, and the kernel's counters add them there.
    """

    states: Counter[int]
    shrunk: int


class SockDiag:
    """Asks the kernel; the way to it stays open, because making one costs as much as the answer."""

    def __init__(self) -> None:
        self._kernel: Descriptor | None = None

    def ask(self) -> RareSockets:
        """Count the sockets of this network namespace; raise OSError where the kernel does not answer."""
        kernel, self._kernel = self._kernel or _connect(), None  # after a failure nobody knows what may still come
        os.write(kernel.number, _QUESTION)
        states: Counter[int] = Counter()
        shrunk, more = 0, True
        while more:
            part, more = parse(os.read(kernel.number, _BUFFER))
            states.update(part.states)
            shrunk += part.shrunk
        self._kernel = kernel
        return RareSockets(states, shrunk)


def _connect() -> Descriptor:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SECONDS)
        return Descriptor(kernel.detach())


def parse(answer: bytes) -> tuple[RareSockets, bool]:
    """Count the sockets in one part of an answer, and say whether more parts come; raise OSError for a refusal."""
    states: list[int] = []
    shrunk, at = 0, 0
    while at + _ANSWER.size <= len(answer):
        length, kind, state, timer = _ANSWER.unpack_from(answer, at)
        if kind == _DONE:
            return RareSockets(Counter(states), shrunk), False
        if kind == _ERROR:
            code = -int.from_bytes(answer[at + _HEADER.size : at + _HEADER.size + 4], sys.byteorder, signed=True)
            raise OSError(code, os.strerror(code))
        if length < _ANSWER.size:
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        states.append(state)
        shrunk += state == FIN_WAIT2 and timer == _TIMER_OF_TIME_WAIT
        at += length + 3 & ~3
    return RareSockets(Counter(states), shrunk), True
