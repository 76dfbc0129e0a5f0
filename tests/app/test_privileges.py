"""Root is given up for good, with its groups; who is not root cannot become another."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from ts2mqtt.app.privileges import become
from ts2mqtt.errors import ConfigError

USER = 10_001
BECOME = textwrap.dedent(
    f"""
    import os
    from ts2mqtt.app.privileges import become
    become({USER})
    print(os.getresuid(), os.getresgid(), os.getgroups())
    become({USER + 1})
    """
)


async def test_root_becomes_the_user_for_good_and_nobody_else_becomes_another() -> None:
    if os.geteuid() != 0:
        with pytest.raises(ConfigError, match="leave --user out"):
            become(USER)
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BECOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert output.decode().strip() == f"{(USER,) * 3} {(USER,) * 3} []"
    assert "leave --user out" in errors.decode()
