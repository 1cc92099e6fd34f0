"""A crash or a failing disk at any file call: nothing stored is lost, doubled or made up, and the next start works.

Every so-manieth call is tried here; tests/scripts/crash_sweep.py tries all of them.
"""

from pathlib import Path

import pytest

from tests.crashes import FATES, STRACE, sweep_maintenance, sweep_run

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


@pytest.mark.parametrize("fate", list(FATES))
def test_maintenance_survives_what_happens_at_a_file_call(tmp_path: Path, fate: str) -> None:
    tried, wrong = sweep_maintenance(tmp_path, [fate], every=10)

    assert (tried > 5, wrong) == (True, [])


@pytest.mark.parametrize("fate", ["kill", "EIO once", "ENOSPC for ever"])
def test_a_run_survives_what_happens_at_a_file_call_of_its_writer(tmp_path: Path, fate: str) -> None:
    tried, wrong = sweep_run(tmp_path, [fate], every=150)

    assert (tried > 2, wrong) == (True, [])
