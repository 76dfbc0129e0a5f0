"""Marks tests of what Windows does not have."""

import sys

import pytest


def not_on_windows(reason: str) -> pytest.MarkDecorator:
    """Skips the test on Windows, for this reason."""
    return pytest.mark.skipif(sys.platform == "win32", reason=reason)
