"""Run a command beside a FUSE mount that never says how full it is, in a mount namespace that dies with it.

    python tests/scripts/hanging_mount.py /mnt COMMAND...

SIGUSR1 makes the mount answer, SIGUSR2 makes it silent again; SIGTERM is handed to the command. Needs root.
"""

import ctypes
import os
import signal
import struct
import subprocess
import sys
import threading

_NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS
_PRIVATE = 1 << 18 | 1 << 14  # MS_PRIVATE, MS_REC
_INIT, _STATFS, _GETATTR = 26, 17, 3
_DIRECTORY = 0o040755
_IN = struct.Struct("=IIQQIIIHH")
_OUT = struct.Struct("=IiQ")

_libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> None:
    """Raise what a call of the C library failed with."""
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Server:
    """The other end of /dev/fuse (include/uapi/linux/fuse.h): knows its root, and tells its size when it likes to."""

    def __init__(self, mountpoint: str) -> None:
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0".encode()
        checked(_libc.mount(b"hang", os.fsencode(mountpoint), b"fuse.hang", 0, options))
        self._held: list[int] = []
        self._lock = threading.Lock()
        self._silent = True
        threading.Thread(target=self._serve, daemon=True).start()

    def answer(self, silent: bool) -> None:
        """Begin or cease to answer; what was asked meanwhile is answered then."""
        with self._lock:
            self._silent = silent
            held, self._held = ([], self._held) if silent else (self._held, [])
        for unique in held:
            self._tell_size(unique)

    def _serve(self) -> None:
        while True:
            try:
                request = os.read(self._device, 1 << 20)
            except OSError:  # unmounted
                return
            _, opcode, unique, *_ = _IN.unpack_from(request)
            if opcode == _INIT:
                self._reply(unique, struct.pack("=IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 4096, 1, 1, 0, 0))
            elif opcode == _GETATTR:
                attributes = struct.pack("=6Q3I7I", 1, 0, 0, 0, 0, 0, 0, 0, 0, _DIRECTORY, 2, 0, 0, 0, 4096, 0)
                self._reply(unique, struct.pack("=QII", 1, 0, 0) + attributes)
            elif opcode == _STATFS:
                with self._lock:
                    if self._silent:
                        self._held.append(unique)
                        continue
                self._tell_size(unique)
            else:
                self._reply(unique, b"", error=38)  # ENOSYS

    def _tell_size(self, unique: int) -> None:
        self._reply(unique, struct.pack("=5Q4I24x", 1000, 400, 400, 100, 75, 4096, 255, 4096, 0))

    def _reply(self, unique: int, body: bytes, *, error: int = 0) -> None:
        os.write(self._device, _OUT.pack(_OUT.size + len(body), -error, unique) + body)


def main() -> int:
    """Mount, run the command, hand on its exit code."""
    checked(_libc.unshare(_NEW_NAMESPACE))
    checked(_libc.mount(b"none", b"/", None, _PRIVATE, None))
    server = Server(sys.argv[1])
    command = subprocess.Popen(sys.argv[2:])
    signal.signal(signal.SIGUSR1, lambda *_: server.answer(silent=False))
    signal.signal(signal.SIGUSR2, lambda *_: server.answer(silent=True))
    signal.signal(signal.SIGTERM, lambda *_: command.terminate())
    code = command.wait()
    server.answer(silent=False)  # whoever still waits for the mount shall not outlive it
    return code


if __name__ == "__main__":
    sys.exit(main())
