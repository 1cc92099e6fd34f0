"""Output files of commands: replaced as a whole at the end, and pipes and devices written to as they are."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from sysmon.datadir.names import temporary_name
from sysmon.errors import UsageError
from sysmon.storage.files import new_file, replacing


@contextmanager
def replace_output(target: Path) -> Iterator[BinaryIO]:
    """Open what will become `target` when all goes well; what is no regular file (a pipe, a device) is written to."""
    with ExitStack() as stack:
        try:
            if target.exists() and not stat.S_ISREG(target.stat().st_mode):
                file: BinaryIO = stack.enter_context(target.open("wb"))
            else:
                path = Path(os.path.realpath(target))
                # A name of its own: two exports may go to one file, and no lock keeps them apart.
                temporary = temporary_name(f"{path.name}.{secrets.token_hex(4)}")
                descriptor = stack.enter_context(replacing(path, mode=None, temporary=temporary))
                file = stack.enter_context(os.fdopen(descriptor, "wb", closefd=False))
        except OSError as error:
            raise UsageError(f"{target}: cannot be written ({error.strerror}): name another place with -o") from error
        yield file


@contextmanager
def open_new(path: Path) -> Iterator[BinaryIO]:
    """Open a new file, to be moved to its place by the caller; it is synced, and removed where something goes wrong."""
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(new_file(path, mode=None))
        except OSError as error:
            raise UsageError(f"{path}: cannot be made ({error.strerror}): name another place with -o") from error
        yield stack.enter_context(os.fdopen(descriptor, "wb", closefd=False))


def make_folder(folder: Path) -> None:
    """Make a folder for files to go to where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: no folder ({error.strerror}): name another one with -o") from error
