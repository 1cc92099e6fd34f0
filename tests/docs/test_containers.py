"""The files for containers name what there is: no engine runs here to build them."""

import re
from pathlib import Path

import click
import yaml

from sysmon.cli import cli

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "container"
SERVICE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"]["sysmon"]
DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")


def takes(words: list[str]) -> bool:
    """Say whether sysmon takes a command line."""
    context = click.Context(cli, info_name="sysmon")
    command = cli.get_command(context, words[0])
    assert command is not None
    return command.make_context(words[0], words[1:], parent=context) is not None


def test_what_is_started_and_asked_are_commands_of_sysmon() -> None:
    program, *check = SERVICE["healthcheck"]["test"][1:]

    assert (program, takes(SERVICE["command"]), takes(check)) == ("sysmon", True, True)


def test_the_host_is_mounted_read_only_where_the_run_looks_for_it() -> None:
    (host,) = [volume for volume in SERVICE["volumes"] if isinstance(volume, dict)]

    assert (host["source"], host["read_only"], host["bind"], SERVICE["command"][-1]) == (
        "/",
        True,
        {"propagation": "rslave"},
        host["target"],
    )


def test_the_samples_go_to_a_volume() -> None:
    (state,) = re.findall(r"STATE_DIRECTORY=(\S+)", DOCKERFILE)

    assert (f"VOLUME {state}\n" in DOCKERFILE, f"data:{state}" in SERVICE["volumes"]) == (True, True)


def test_everything_that_the_package_is_made_of_goes_to_the_builder() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = [line[1:] for line in lines if line.startswith("!")]

    assert ([name for name in let_in if not (ROOT / name).exists()], SERVICE["build"]["dockerfile"]) == (
        [],
        "container/Dockerfile",
    )
