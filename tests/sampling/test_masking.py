"""Pseudonyms: what gets one, that it stays the same, and that nothing beside it gives the name away."""

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.model import Row, Table
from sysmon.sampling.masking import Mask, Masking
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.sanitize import LabelSanitizer
from tests.sampling.fakes import CountingCollector, FakeClock
from tests.sampling.test_sampler import NOON

KEY = bytes(32)
PROCESS = ("pid", "name", "username", "unit")
MOUNT = ("mountpoint", "device", "fstype")


def masked(names: tuple[str, ...], labels: tuple[str, ...], **globs: tuple[str, ...]) -> list[str]:
    """Return one row's labels, with what follows the dash of a pseudonym cut off."""
    (shown,) = Masking(Mask(**globs), KEY).labels(names, [labels])
    return [
        text.partition("-")[0] + "-…" if text != before else text for text, before in zip(shown, labels, strict=True)
    ]


@pytest.mark.parametrize(
    ("names", "labels", "globs", "shown"),
    [
        pytest.param(
            PROCESS, ("7", "cron", "root", "cron.service"), {}, ["7", "cron", "root", "cron.service"], id="no mask"
        ),
        pytest.param(
            PROCESS,
            ("7", "payroll", "root", "payroll.service"),
            {"processes": ("pay*",)},
            ["7", "process-…", "root", "unit-…"],
            id="a process, and the unit that tells its name",
        ),
        pytest.param(
            PROCESS,
            ("7", "bash", "alice", "-"),
            {"users": ("alice",)},
            ["7", "bash", "user-…", "-"],
            id="a user without a unit",
        ),
        pytest.param(
            PROCESS,
            ("7", "alice", "alice", "-"),
            {"users": ("alice",)},
            ["7", "alice", "user-…", "-"],
            id="a process that is called as a masked user",
        ),
        pytest.param(
            PROCESS,
            ("-1", "(others)", "-", "-"),
            {"processes": ("*",), "users": ("*",)},
            ["-1", "(others)", "-", "-"],
            id="what stands for all others",
        ),
        pytest.param(
            MOUNT,
            ("/mnt/acme", "/dev/mapper/acme", "ext4"),
            {"mountpoints": ("/mnt/*",)},
            ["mount-…", "device-…", "ext4"],
            id="a mount point, and the device that tells its name",
        ),
        pytest.param(
            ("device",), ("sda",), {"mountpoints": ("*",)}, ["sda"], id="a device in a table without mount points"
        ),
        pytest.param(
            ("image", "username"),
            ("redis", "alice"),
            {"users": ("ali*",)},
            ["redis", "user-…"],
            id="a user in a table that nobody knows yet",
        ),
        pytest.param(
            PROCESS,
            ("7", "payroll-servic", "root", "-"),
            {"processes": ("payroll-service-of-acme",)},
            ["7", "payroll-servic", "root", "-"],
            id="another name than the kernel would make of a long one",
        ),
        pytest.param(
            PROCESS,
            ("7", "payroll-service", "root", "-"),
            {"processes": ("payroll-service-of-acme",)},
            ["7", "process-…", "root", "-"],
            id="a long name as the kernel cuts it",
        ),
        pytest.param(
            PROCESS,
            ("7", "gehälter-acme\\xc3", "root", "-"),
            {"processes": ("gehälter-acmeäh",)},
            ["7", "process-…", "root", "-"],
            id="a long name that the kernel cuts within a letter",
        ),
        pytest.param(
            PROCESS, ("7", "Payroll", "root", "-"), {"processes": ("pay*",)}, ["7", "Payroll", "root", "-"], id="case"
        ),
    ],
)
def test_what_matches_gets_a_pseudonym(
    names: tuple[str, ...], labels: tuple[str, ...], globs: dict[str, tuple[str, ...]], shown: list[str]
) -> None:
    assert masked(names, labels, **globs) == shown


def test_a_pseudonym_is_the_start_of_a_keyed_digest_of_kind_and_name() -> None:
    (shown,) = Masking(Mask(processes=("*",)), KEY).labels(("name",), [("payroll",)])

    inner = hashlib.sha256(bytes([0x36] * 64) + b"process\0payroll").digest()  # RFC 2104, with a key of zeros
    assert shown == ("process-" + hashlib.sha256(bytes([0x5C] * 64) + inner).hexdigest()[:8],)


def test_another_key_gives_another_pseudonym() -> None:
    mask, rows = Mask(users=("*",)), [("alice",)]

    assert Masking(mask, KEY).labels(("username",), rows) != Masking(mask, bytes([1] * 32)).labels(("username",), rows)


@given(st.lists(st.text(max_size=3), unique=True, max_size=40))
def test_names_that_differ_stay_different_however_short_pseudonyms_are(names: list[str]) -> None:
    masking = Masking(Mask(mountpoints=("*",)), KEY, digits=1)

    shown = masking.labels(("mountpoint", "device"), [(name, "one") for name in names])

    assert len(set(shown)) == len(names)


def test_two_names_that_collide_get_the_same_pseudonyms_in_any_order() -> None:
    masking = Masking(Mask(mountpoints=("*",)), KEY, digits=0)
    rows = [("/a", "one"), ("/b", "one")]

    assert masking.labels(("mountpoint", "device"), rows) == masking.labels(("mountpoint", "device"), rows[::-1])[::-1]


class Counting:
    """A sampler over one collector of things called `name`, with a mask over all of them."""

    def __init__(self, name: str) -> None:
        self.collector = CountingCollector(name=name)
        clock = FakeClock(NOON)
        stored = LabelSanitizer(Masking(Mask(processes=("secret*",)), KEY))
        self.sampler = Sampler({"counting": self.collector}, clock.monotonic, stored=stored)


def test_a_sample_holds_pseudonyms_and_so_does_a_preview() -> None:
    counting = Counting("secret-a")

    sample, _ = counting.sampler.take(NOON, {"counting"})

    (row,) = sample.rows["counting"]
    assert (str(row[0])[:8], counting.sampler.preview(NOON).rows["counting"]) == ("process-", [row])


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        pytest.param(
            FileNotFoundError(2, "No such file or directory", "/mnt/secret"),
            "FileNotFoundError: [Errno 2] No such file or directory",
            id="an error of the system",
        ),
        pytest.param(OSError("cannot ask secret-a"), "OSError", id="an error in words only"),
        pytest.param(ValueError("no number: 'secret-a'"), "ValueError", id="any other error"),
    ],
)
def test_where_names_are_masked_an_error_is_told_without_what_may_be_one(error: Exception, stored: str) -> None:
    counting = Counting("secret-a")
    counting.collector.fails = error

    sample, events = counting.sampler.take(NOON, {"counting"})

    failed = [failure.error for failure in sample.failures]
    assert (failed, [event.fields["error"] for event in events]) == ([stored], [stored])


def test_news_of_a_masked_mount_name_its_pseudonym() -> None:
    stored = LabelSanitizer(Masking(Mask(mountpoints=("/mnt/*",)), KEY))
    table = Table("disks", "Disks.", (), labels=("mountpoint",))

    said = stored.fields({"mountpoint": "/mnt/acme", "seconds": 2.5})

    rows: list[Row] = stored.rows(table, [("/mnt/acme",)])
    assert said == {"mountpoint": rows[0][0], "seconds": 2.5}


def test_openssl_is_loaded_only_for_those_who_mask_something() -> None:
    script = "import sys; import sysmon.app.agent.run; print('_hashlib' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout == "False\n"
