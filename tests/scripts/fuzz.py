"""Look for bytes that surprise a reader, for a time: the targets are in tests/fuzz/targets.py.

    python -m tests.scripts.fuzz TARGET [--seconds 60] [--corpus FOLDER]
    python -m tests.scripts.fuzz --list

It needs atheris (`pip install atheris`; CPython on Linux), which nothing else here does. It begins with what
tests/fuzz/corpus/TARGET holds; new inputs go to another folder that is given, or are forgotten. Exits with 1 where a
target raised what it should not: the input is kept as `./crash-...`, `./timeout-...` or `./oom-...`. Cut it short by
hand, name it after what it is, and put it into the corpus: tests/fuzz/test_corpus.py tries it from then on.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
INSIDE = "SYSMON_FUZZ_TARGET"
SLOWEST = 20
"""Seconds for one input: some readers may be slow beside load, and none takes as long."""


def look(target: str) -> None:
    """Be the process that atheris ends: give a target one input after the other, each a folder of its own."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sysmon"]):
        from tests.fuzz.targets import TARGETS
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name) / "input"

        def once(data: bytes) -> None:
            folder.mkdir()
            try:
                TARGETS[target](data, folder)
            finally:
                shutil.rmtree(folder)

        atheris.Setup(sys.argv, once)
        atheris.Fuzz()


def main() -> int:
    """Start the process that looks, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="keep new inputs here, to go on with them another time")
    parser.add_argument("--list", action="store_true", help="only list the targets")
    options = parser.parse_args()
    from tests.fuzz.targets import TARGETS

    if options.list or options.target not in TARGETS:
        print("\n".join(f"{name:<12}{target.__doc__}" for name, target in TARGETS.items()))
        return 0 if options.list else 2
    with tempfile.TemporaryDirectory() as forgotten:
        grown = options.corpus or Path(forgotten)
        grown.mkdir(exist_ok=True, parents=True)
        seeds = CORPUS / options.target
        flags = [f"-max_total_time={options.seconds}", f"-timeout={SLOWEST}", "-max_len=4096", "-rss_limit_mb=1024"]
        folders = [str(grown), *([str(seeds)] if seeds.is_dir() else [])]
        done = subprocess.run(
            [sys.executable, "-m", "tests.scripts.fuzz", *flags, "-print_final_stats=1", *folders],
            env={**os.environ, INSIDE: options.target},
            check=False,
        )
    print(f"{options.target}: {'nothing was found' if done.returncode == 0 else 'something was found'}")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    if INSIDE in os.environ:
        look(os.environ[INSIDE])
    else:
        sys.exit(main())
