"""The suite on every Python that sysmon runs on, and the package as a stranger gets it: `nox`, `nox -s package`."""

from pathlib import Path

import nox

nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the whole suite."""
    session.install("--editable", ".[dev]")
    session.run("pytest", "--numprocesses", "auto", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"])
def package(session: nox.Session) -> None:
    """Build the archive, a wheel from the archive, install that where nothing else is, and use it."""
    session.install("build", "twine")
    place = Path(session.create_tmp()).resolve()
    built = place / "dist"
    session.run("python", "-m", "build", "--outdir", str(built), ".")
    files = sorted(map(str, built.iterdir()))
    session.run("twine", "check", "--strict", *files)
    session.run("python", "-m", "venv", "--clear", str(place / "clean"))
    clean = place / "clean" / "bin"
    session.run(
        str(clean / "pip"), "install", "--quiet", *(name for name in files if name.endswith(".whl")), external=True
    )
    sysmon, data = str(clean / "sysmon"), str(place / "data")
    with session.chdir(place):
        session.run(sysmon, "run", "--interval", "1s", "--ticks", "3", "--data", data, external=True)
        session.run(sysmon, "report", "--data", data, external=True)
        session.run(sysmon, "verify", data, external=True)
        session.run(sysmon, "init", "-o", str(place / "first"), external=True, success_codes=[0, 1])
        session.run(sysmon, "config", "check", "--config", str(place / "first" / "sysmon.yaml"), external=True)
