"""requirements/ holds what pyproject.toml asks for, whole, with hashes; `make lock` writes it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import metadata, requires, version
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PYROOT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("image.txt", "build.txt")
# What the image runs.
IMAGE = {"python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux", "extra": ""}


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock file: the release, and the hashes of its files."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def version(self) -> Version:
        (pin,) = self.requirement.specifier
        assert pin.operator == "=="
        return Version(pin.version)


def locked(name: str) -> dict[str, Locked]:
    """By normalised name."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, Locked] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            release, *hashes = re.split(r"\s+--hash=", line.strip())
            requirement = Requirement(release)
            found[canonicalize_name(requirement.name)] = Locked(requirement, tuple(hashes))
    return found


def asked_for(lines: list[str]) -> Iterator[Requirement]:
    """Those requirements that hold in the image."""
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(IMAGE):
            yield requirement


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_has_hashes(name: str) -> None:
    packages = locked(name)
    assert packages
    for package in packages.values():
        assert package.version > Version("0")
        assert package.hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in package.hashes)


@pytest.mark.parametrize("name", LOCKS)
def test_no_address_of_a_registry_stands_in_it(name: str) -> None:
    assert "://" not in (ROOT / "requirements" / name).read_text(encoding="utf-8")


def test_the_image_has_what_pyproject_asks_for_and_all_that_follows_from_it() -> None:
    """Followed through the packages that are installed here, as far as they are the locked releases."""
    packages = locked("image.txt")
    open_ends = list(asked_for(PYROOT["project"]["dependencies"]))
    needed: set[str] = set()
    seen_whole = True
    while open_ends:
        requirement = open_ends.pop()
        name = canonicalize_name(requirement.name)
        assert name in packages, f"{name} is not locked: make lock"
        assert packages[name].version in requirement.specifier, f"make lock: {requirement}"
        if name in needed:
            continue
        needed.add(name)
        if Version(version(name)) == packages[name].version:
            open_ends += asked_for(requires(name) or [])
        else:
            seen_whole = False
    for_other_systems = {name for name, package in packages.items() if package.requirement.marker}
    unneeded = packages.keys() - needed - for_other_systems
    assert not (seen_whole and unneeded), "something is locked that nobody needs: make lock"


def test_the_image_is_built_by_what_pyproject_says() -> None:
    build = locked("build.txt")
    for requirement in asked_for(PYROOT["build-system"]["requires"]):
        assert build[canonicalize_name(requirement.name)].version in requirement.specifier
    written = (ROOT / "requirements" / "build.in").read_text(encoding="utf-8").splitlines()
    assert set(PYROOT["build-system"]["requires"]) <= set(written)


def test_every_dependency_is_explained_and_its_licence_told() -> None:
    table = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    licences = dict(re.findall(r"^\| `([^`]+)` \| .+ \| [\d.]+ \| ([^|]+) \|$", table, flags=re.MULTILINE))
    in_the_image = {
        name for name, package in locked("image.txt").items() if "win32" not in str(package.requirement.marker)
    }
    assert {canonicalize_name(name) for name in licences} == in_the_image
    for name, told in licences.items():
        # Older packages say it in other words, or only in a file.
        expressions = metadata(name).get_all("License-Expression") or [told]
        assert expressions == [told], name
