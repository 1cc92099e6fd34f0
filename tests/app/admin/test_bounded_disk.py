"""`max_bytes` holds at every moment: a disk of twice that is written full ten times, by the clock of the samples."""

import random
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from sysmon.app.admin.maintain import maintain
from sysmon.app.admin.verify import verify_files
from sysmon.app.catalog import tables
from sysmon.config import Storage
from sysmon.model import Event, Origin, Row
from sysmon.storage.host_writer import HostWriter
from tests.integration.disks import MIB, small_disk, used
from tests.reading.stored import START

MOST = 4 * MIB
TEN_SECONDS = timedelta(seconds=10)
PROCESSES = 60


class Machine:
    """A busy host that is sampled every ten seconds, as fast as the disk takes it; `now` is its clock."""

    def __init__(self, data: Path, storage: Storage) -> None:
        self.now = START
        self.ticks = 0
        self._chance = random.Random(4)  # noqa: S311 - the same host each time
        origin = Origin("web-01")
        watched = [tables()["process"], tables()["agent"]]
        self._files = HostWriter(
            data / "web-01", origin, watched, layout=storage, opening=lambda at: Event(at, "running", {}), tell=print
        )

    def tick(self) -> bool:
        """Store one sample; return whether files ended with it."""
        before = self._files.ended
        self.ticks += 1
        self.now += TEN_SECONDS
        self._files.append_rows("process", self.now, [self._process(number) for number in range(PROCESSES)])
        self._files.append_rows("agent", self.now, [("0badcafe", self.ticks, 0.4, 2e7, 0.001, 0, 0)])
        return self._files.ended > before

    def close(self) -> None:
        """End all files."""
        self._files.close()

    def _process(self, number: int) -> Row:
        numbers = [round(self._chance.expovariate(0.01), 3) for _ in tables()["process"].metrics]
        return (str(4000 + number), str(START), f"worker-{number}", "root", "jobs.service", *numbers)


class Watch:
    """Looks at how much of a disk is taken, all the time; `most` is the most that it saw."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.most = 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def look(self) -> int:
        """Return what is taken now."""
        taken = used(self._folder)
        self.most = max(self.most, taken)
        return taken

    def _watch(self) -> None:
        while not self._ended.wait(0.002):
            self.look()


@pytest.mark.needs_root
@pytest.mark.parametrize("compress_after", [timedelta(0), timedelta(days=1)], ids=str)
def test_a_disk_written_full_ten_times_never_holds_more_than_the_bound_and_a_temporary_file(
    tmp_path: Path, compress_after: timedelta
) -> None:
    data = tmp_path / "data"
    storage = Storage(rotation=timedelta(minutes=5), compress_after=compress_after, max_bytes=MOST, min_free=0)
    written = packed = left = 0
    with small_disk(data, 2 * MOST):
        with Watch(data) as watch:
            machine = Machine(data, storage)
            while written < 10 * MOST:
                ended = machine.tick()
                grown = watch.look() - left
                if ended:
                    written += grown
                    maintain(data, storage, now=machine.now)
                    left = watch.look()
                    packed = max((path.stat().st_size for path in data.rglob("*.gz")), default=0)
            machine.close()
        verdict = verify_files(data, repair=False)

    assert (verdict.faults, MOST / 4 < watch.most <= MOST + packed) == ([], True)
