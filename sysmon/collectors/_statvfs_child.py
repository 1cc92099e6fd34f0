"""Child process that calls statvfs: one that never returns holds up nobody else.

Run as a program. A question is a line `NUMBER PATH` with the path in hexadecimal; its answer is a line of that number
and seven more (unit, blocks, free, free for users, inodes, free inodes, the device that the kernel says the folder is
on), or only the number where the mount refused.
Every question has a thread, so that a mount that hangs delays no other. The end of the questions is the end.
"""

import _thread  # threading would triple the time and memory that this small process takes
import os
import sys


def answer(number: bytes, path: bytes) -> None:
    """Ask one file system and write the answer."""
    try:
        space = os.statvfs(path)
        device = os.stat(path).st_dev  # noqa: PTH116 - pathlib would triple the memory of this process
    except OSError:
        values: tuple[int, ...] = ()
    else:
        values = (space.f_frsize, space.f_blocks, space.f_bfree, space.f_bavail, space.f_files, space.f_ffree, device)
    os.write(1, b" ".join([number, *(b"%d" % value for value in values)]) + b"\n")


def main() -> None:
    """Answer until the questions end; threads that still wait end with the process."""
    os.chdir("/")  # no mount is kept busy by this
    for line in sys.stdin.buffer:
        number, path = line.split()
        _thread.start_new_thread(answer, (number, bytes.fromhex(path.decode("ascii"))))
    os._exit(0)


if __name__ == "__main__":
    main()
