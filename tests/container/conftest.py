"""The image, built once for all tests of this folder."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import need
from tests.container.engine import why_there_is_no_engine
from tests.support.project import ROOT


@pytest.fixture(scope="session")
def image() -> str:
    """Its id."""
    missing = why_there_is_no_engine()
    need(missing or "docker", is_there=missing is None)
    built = subprocess.run(  # noqa: S603 - our own Dockerfile
        ("docker", "build", "--quiet", "--network", "host", str(ROOT)),  # noqa: S607 - the engine that the path names
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return built.stdout.strip()
