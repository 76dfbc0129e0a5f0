"""The Dockerfile and the package agree; `make test-container` really builds and runs it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.project import ROOT, recipe
from ts2mqtt import cli

PYROOT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Of the last stage, which is the image; a line that ends with a backslash goes on.
BUILD, IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").split("\n\n\n")


_HEALTH = ("interval", "timeout", "retries")


def said(instruction: str, stage: str = IMAGE) -> list[str]:
    """What follows this instruction, each time."""
    return re.findall(rf"^{instruction}\s+(.+)$", stage, flags=re.MULTILINE)


def words(instruction: str) -> list[str]:
    """Of the exec form, a JSON list, which needs no shell."""
    (text,) = said(instruction)
    found: list[str] = json.loads(text[text.index("[") :])
    return found


def test_it_starts_the_command_that_the_package_installs() -> None:
    (name,) = PYROOT["project"]["scripts"]
    assert words("ENTRYPOINT") == [name]


@pytest.mark.parametrize("arguments", [words("CMD"), words("HEALTHCHECK")[1:]])
def test_what_it_says_is_understood(arguments: list[str]) -> None:
    assert cli.parser().parse_args(arguments).command


def test_its_health_is_asked_for_by_the_same_program() -> None:
    assert words("HEALTHCHECK")[:2] == [*words("ENTRYPOINT"), "healthcheck"]


def test_it_is_unhealthy_within_a_minute() -> None:
    """Also when each check takes all the time that it may."""
    (text,) = said("HEALTHCHECK")
    interval, timeout, retries = (int(re.findall(rf"--{name}=(\d+)", text)[0]) for name in _HEALTH)
    assert retries * (interval + timeout) <= 60


def test_its_user_is_a_number_and_not_root() -> None:
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_nothing_but_the_environment_comes_from_the_stage_that_builds() -> None:
    assert said("COPY") == ["--from=build /opt/ts2mqtt /opt/ts2mqtt"]
    assert said("RUN") == []


def test_its_python_is_one_that_the_package_supports() -> None:
    (version,) = re.findall(r"^ARG PYTHON_VERSION=(\S+)$", BUILD, flags=re.MULTILINE)
    assert version in SpecifierSet(PYROOT["project"]["requires-python"])


def test_what_it_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {name for line in said("COPY", BUILD) for name in line.split()[:-1]}
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{Path(name).parts[0]}" in ignored


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "addon/Dockerfile"])
def test_nothing_is_installed_without_hashes(dockerfile: str) -> None:
    text = (ROOT / dockerfile).read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel)\b[^&\n]*", text)
    assert installs
    for install in installs:
        # What has no index takes what the line before has made: the wheels with hashes, and our own source.
        is_own = install.split()[-1] == "." and "--no-build-isolation" in install
        assert "--require-hashes" in install or "--no-index" in install or is_own, install
        assert "--no-deps" in install
    assert "apt-get" not in text
    assert "curl" not in text


def test_the_app_s_packages_are_the_image_s() -> None:
    image = (ROOT / "requirements" / "image.txt").read_text(encoding="utf-8")
    assert (ROOT / "addon" / "requirements.txt").read_text(encoding="utf-8") == image, "make lock"
    assert "cp requirements/image.txt addon/requirements.txt" in recipe("lock")


def test_the_app_is_never_root() -> None:
    app = (ROOT / "addon" / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r'"ts2mqtt.app", "(\w+)"\]', app) == ["healthcheck", "run"]
    assert re.findall(r"^USER (.+)$", app, re.MULTILINE) == said("USER") == ["10001:10001"]
