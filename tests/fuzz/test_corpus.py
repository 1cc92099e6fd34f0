"""Every input of the corpus through its reader: those that once broke one, and whole files that others are made of."""

import gzip
from pathlib import Path

import pytest

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.reading import rollup_file
from sysmon.reading.aggregate import aggregate
from sysmon.reading.rows import RowReader
from tests.fuzz.targets import TARGETS
from tests.reading.stored import CPU, HOUR, START

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_reader_gives_an_answer_or_an_error_that_it_documents(path: Path, tmp_path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes(), tmp_path)


def test_every_reader_has_a_corpus_of_short_files() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)
    assert [path for path in FILES if path.stat().st_size >= 4096] == []


@pytest.mark.parametrize("name", ["no-values", "negative-counts", "far-instants", "huge-histogram", "huge-count"])
def test_a_roll_up_of_numbers_that_cannot_be_is_damage(name: str, tmp_path: Path) -> None:
    path, damage = tmp_path / "cpu-20261120T12.jsonl.gz", Damage()
    path.write_bytes(gzip.compress((CORPUS / "hours" / name).read_bytes()))

    read = rollup_file.read(path, RollupFile("cpu", Resolution.HOUR, START), damage)

    assert (read, damage.count) == (None, 1)


def test_numbers_that_cannot_be_added_up_are_damage_and_the_largest_of_the_others_can(tmp_path: Path) -> None:
    path, damage = tmp_path / "web-01" / "cpu" / "cpu-20261120T120000Z-1h.jsonl", Damage()
    path.parent.mkdir(parents=True)
    path.write_bytes((CORPUS / "rows" / "beyond-1e300").read_bytes())

    (series,) = aggregate(RowReader(path.parent, CPU, damage).history(START, START + HOUR)).series

    assert (series.metrics["cpu_usage_percent"].mean, damage.count) == (1e300, 7)
