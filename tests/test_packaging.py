import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sysmon

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_package_of_the_tree_is_installed() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "sysmon").rglob("__init__.py")}

    listed = set(PROJECT["tool"]["setuptools"]["packages"]) - {"sysmon.defaults"}
    assert listed == {".".join(folder.parts) for folder in folders}


def test_every_file_that_is_not_code_is_installed_with_its_package() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    others = {path for path in (ROOT / "sysmon").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}

    def is_installed(path: Path) -> bool:
        package = next(folder for folder in path.parents if (folder / "__init__.py").exists())
        globs = data.get(".".join(package.relative_to(ROOT).parts), [])
        return any(path in package.glob(glob) for glob in globs)

    missing = [path.relative_to(ROOT) for path in others if not is_installed(path)]
    assert (missing, sorted(data["sysmon.defaults"])) == ([], ["*.yaml"])


def test_the_package_says_its_version_and_that_it_is_typed() -> None:
    assert (sysmon.__version__.count("."), (ROOT / "sysmon" / "py.typed").exists()) == (2, True)


def test_a_fork_has_the_same_checks_on_every_python_that_is_named() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    classifiers = " ".join(PROJECT["project"]["classifiers"])

    (job,) = workflow["jobs"].values()
    assert (job["steps"][-1], job["strategy"]["matrix"]["python"]) == (
        {"run": "bash .ci/run"},
        re.findall(r"Python :: (3\.\d+)", classifiers),
    )


def test_ci_installs_one_pinned_and_hashed_version_of_everything_that_is_asked_for() -> None:
    project = PROJECT["project"]
    requirements = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]
    text = (ROOT / ".ci/requirements.txt").read_text("utf-8")

    pins = [Requirement(line.rstrip("\\ ")) for line in re.findall(r"^\w.*$", text, re.MULTILINE)]
    hashes = re.findall(r"^\w.*?(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    versions = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }
    unmet = [
        str(requirement)
        for requirement in requirements
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]
    assert (unmet, [block.split()[0] for block in hashes if "--hash=sha256:" not in block]) == ([], [])


def test_every_dependency_of_users_has_an_upper_bound() -> None:
    project = PROJECT["project"]

    bounded = {str(Requirement(text).name): "<" in text for text in project["dependencies"]}

    assert set(bounded.values()) == {True}, bounded
