"""Tests of one group run on one worker, so that what is dear to make is made once."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("some group")
def test_xdist_knows_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("tests are not distributed by group: --dist loadgroup")
    assert request.node.nodeid.endswith("@some group")
