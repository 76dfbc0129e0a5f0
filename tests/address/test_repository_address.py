"""The repository's address stands in one place, and every file that links to it says the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.address.repository_address import PLACES, checked, write_address
from tests.support.project import ROOT
from ts2mqtt import REPOSITORY_URL
from ts2mqtt.errors import ConfigError
from ts2mqtt.home_assistant.discovery import Origin

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://forge.example/owner/ts2mqtt"
FILES = sorted({place.file for place in PLACES})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that name the address, without one."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    write_address(tmp_path, "")
    return tmp_path


def texts(root: Path) -> dict[str, str]:
    return {name: (root / name).read_text(encoding="utf-8") for name in FILES}


def test_every_file_says_what_the_one_place_says(copy: Path) -> None:
    write_address(copy, REPOSITORY_URL)
    assert texts(copy) == texts(ROOT), "run: make address URL=…"


def test_without_an_address_nothing_links_anywhere(copy: Path) -> None:
    for name, text in texts(copy).items():
        for link in ("source_url", "git clone http", "/blob/main", "blueprint_url", "image.source", "project.urls"):
            assert link not in text, name
    assert "url" not in yaml.safe_load((copy / "addon/config.yaml").read_text())
    assert "url" not in yaml.safe_load((copy / "repository.yaml").read_text())


def test_home_assistant_is_told_the_address_where_there_is_one() -> None:
    assert Origin().support_url == (REPOSITORY_URL or None)


def test_every_place_gets_it(copy: Path) -> None:
    write_address(copy, f"{URL}.git/")

    assert tomllib.loads((copy / "pyproject.toml").read_text())["project"]["urls"] == {
        "Repository": URL,
        "Issues": f"{URL}/issues",
        "Changelog": f"{URL}/blob/main/CHANGELOG.md",
    }
    assert yaml.safe_load((copy / "addon/config.yaml").read_text())["url"] == URL
    assert yaml.safe_load((copy / "repository.yaml").read_text())["url"] == URL
    assert f'REPOSITORY_URL = "{URL}"\n' in (copy / "ts2mqtt/__init__.py").read_text()
    assert f'image.source="{URL}" \\\n' in (copy / "Dockerfile").read_text()
    blueprints = [name for name in FILES if "/blueprints/" in name]
    assert len(blueprints) == 7
    for name in blueprints:
        assert f"\n  source_url: {URL}/blob/main/{name}\n" in (copy / name).read_text()
    assert (copy / "homeassistant/README.md").read_text().count("blueprint_url=https%3A%2F%2Fforge.example%2F") == 7


def test_the_app_s_image_is_where_the_release_puts_it(copy: Path) -> None:
    assert "image" not in yaml.safe_load((copy / "addon/config.yaml").read_text())
    write_address(copy, "https://github.com/Owner/ts2mqtt")
    config = yaml.safe_load((copy / "addon/config.yaml").read_text())
    assert config["image"] == "ghcr.io/owner/ts2mqtt-{arch}"
    assert config["url"] == "https://github.com/Owner/ts2mqtt"
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["app-image"]
    # The action that makes the names writes them in lower case.
    (names,) = [step for step in release["steps"] if step.get("id") == "names"]
    assert names["with"]["images"] == "ghcr.io/${{ github.repository }}-${{ matrix.arch }}"
    assert [one["arch"] for one in release["strategy"]["matrix"]["include"]] == sorted(config["arch"], reverse=True)
    write_address(copy, URL)
    assert "image" not in yaml.safe_load((copy / "addon/config.yaml").read_text())


def test_another_one_takes_its_place_and_none_takes_it_out(copy: Path) -> None:
    plain = texts(copy)
    write_address(copy, "https://elsewhere.example/somebody/ts2mqtt")
    write_address(copy, URL)
    assert not [name for name, text in texts(copy).items() if "elsewhere" in text]
    write_address(copy, "")
    assert texts(copy) == plain


def test_every_blueprint_has_a_place() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "homeassistant/blueprints").rglob("*.yaml")}
    assert found == {name for name in FILES if "/blueprints/" in name}


@pytest.mark.parametrize(
    "url", ["forge.example/owner/ts2mqtt", "http://forge.example/x/y", "https://forge.example", "https://a.b/c d"]
)
def test_what_is_no_address_is_refused(url: str, copy: Path) -> None:
    plain = texts(copy)
    with pytest.raises(ConfigError, match="expected the repository's address"):
        write_address(copy, url)
    assert texts(copy) == plain


def test_a_file_that_has_changed_is_told_and_nothing_is_written(copy: Path) -> None:
    (copy / "CONTRIBUTING.md").write_text("Write a letter.")
    plain = texts(copy)
    with pytest.raises(ConfigError, match=r"CONTRIBUTING\.md: expected 'Please open an issue ' once"):
        write_address(copy, URL)
    assert texts(copy) == plain


def test_the_command_refuses_in_words() -> None:
    command = [sys.executable, "-m", "tests.address.repository_address", "nowhere"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    assert (ended.returncode, ended.stderr) == (
        1,
        "URL=nowhere: expected the repository's address, such as https://example.org/owner/ts2mqtt\n",
    )


def test_an_address_is_written_in_one_way() -> None:
    assert {checked(f"{URL}{end}") for end in ("", "/", ".git", ".git/")} == {URL}
