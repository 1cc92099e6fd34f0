"""What real shells offer at a press of Tab once they were taught."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, environment

_ASK = {
    "bash": 'COMP_WORDS=({words}); COMP_CWORD={last}; _sysmon_completion sysmon; printf "%s\\n" "${{COMPREPLY[@]}}"',
    "fish": "complete --do-complete {text}",
    # zsh hands what it is given to compadd or _describe, which need its line editor: they are stood in for here.
    "zsh": 'words=({words}); CURRENT=$(({last} + 1)); _describe() {{ printf "%s\\n" ${{${{(P)3}}%%:*}}; }}; '
    'compadd() {{ shift 4; printf "%s\\n" "${{(@P)1}}"; }}; _sysmon_completion',
}


def _offered(shell: str, words: list[str], home: Path) -> list[str]:
    taught = subprocess.run(
        [*SYSMON, "completion", shell], env=environment(), capture_output=True, text=True, check=True
    )
    program = home / "bin" / "sysmon"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.join(SYSMON)} "$@"\n')
    program.chmod(0o755)
    ask = _ASK[shell].format(
        words=" ".join(map(shlex.quote, words)), last=len(words) - 1, text=shlex.quote(" ".join(words))
    )
    prelude = "compdef() { :; }; " if shell == "zsh" else ""
    done = subprocess.run(
        [shell, "-c", f"{prelude}{taught.stdout}\n{ask}"],
        env=environment(PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}", HOME=str(home)),
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(["sysmon", "rep"], ["report"], id="a command"),
        pytest.param(["sysmon", "report", "--table", "disk_"], ["disk_io", "disk_usage"], id="a table"),
        pytest.param(["sysmon", "report", "--format", "m"], ["markdown"], id="a format"),
        pytest.param(["sysmon", "report", "--data", "d", "--host", "web"], ["web-01", "web-02"], id="a host"),
    ],
)
def test_a_shell_offers_what_fits(shell: str, words: list[str], offered: list[str], tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    for host in ("web-01", "web-02", "db"):
        (tmp_path / "d" / host / "cpu").mkdir(parents=True)

    offers = _offered(shell, words, tmp_path)

    assert offers == offered
