"""The start of a run as a person reads it: the command it recommends works when it is pasted elsewhere."""

import dataclasses
from pathlib import Path

import pytest

from sysmon import config
from sysmon.app.agent.banner import view_command


@pytest.mark.parametrize(
    ("origin", "activated", "command"),
    [
        pytest.param(config.DEFAULT, False, "sysmon top", id="nothing is unusual"),
        pytest.param("--data", False, "sysmon top --data '{folder}/my data'", id="data somewhere else"),
        pytest.param(config.DEFAULT, True, "{folder}/bin/sysmon top", id="an environment that is active here"),
    ],
)
def test_the_recommended_command_works_from_any_folder(
    tmp_path: Path, origin: str, activated: bool, command: str
) -> None:
    script = tmp_path / "bin" / "sysmon"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    loaded = config.load(environ={"HOME": str(tmp_path), "SYSMON_SYSTEM_ROOT": str(tmp_path)})
    loaded = dataclasses.replace(loaded, data_dir=tmp_path / "my data", origins={"data_dir": origin})
    environ = {"PATH": str(script.parent), **({"VIRTUAL_ENV": str(tmp_path)} if activated else {})}

    recommended = view_command(loaded, environ, executable=str(script.with_name("python")))

    assert recommended == command.format(folder=tmp_path)
