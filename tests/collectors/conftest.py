from collections.abc import Iterator

import pytest

from sysmon.collectors import Source


@pytest.fixture(autouse=True)
def _psutil_reads_this_machine_again() -> Iterator[None]:
    """Undo what reading a recorded tree leaves behind: psutil keeps the root of /proc in a module global."""
    yield
    _ = Source().psutil
