"""What the user types next, by the way ts2mqtt was installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ts2mqtt.setup.next_steps import Installation, next_steps


@pytest.mark.parametrize(
    ("program", "prefix", "command"),
    [
        ("/home/u/.local/bin/ts2mqtt", "/home/u/.local/share/pipx/venvs/ts2mqtt", "ts2mqtt"),
        ("/home/u/.local/bin/ts2mqtt", "/home/u/.local/share/uv/tools/ts2mqtt", "ts2mqtt"),
        ("/home/u/ts2mqtt/ts2mqtt/__main__.py", "/home/u/venv", "python -m ts2mqtt"),
        ("/home/u/.cache/uv/archive-v0/AbC/bin/ts2mqtt", "/home/u/.cache/uv/archive-v0/AbC", "uvx ts2mqtt"),
        ("/home/u/.cache/pipx/a1b2/bin/ts2mqtt", "/home/u/.cache/pipx/a1b2", "pipx run ts2mqtt"),
        ("C:\\ts2mqtt\\ts2mqtt.exe", "C:\\Users\\u\\AppData\\Local\\Temp\\_MEI1", ".\\ts2mqtt.exe"),
    ],
)
def test_the_command(program: str, prefix: str, command: str) -> None:
    assert Installation(program, prefix).command == command


def test_a_program_that_the_terminal_does_not_find_is_named_with_its_folder() -> None:
    """As right after `pipx install`, whose folder is on the path of new terminals only."""
    installation = Installation("/home/u/.local/bin/ts2mqtt", "/home/u/venv", is_on_path=False)
    assert next_steps(installation, Path("config.yaml"))[2].split("   ")[0] == "  /home/u/.local/bin/ts2mqtt run"


def test_the_lines() -> None:
    assert next_steps(Installation("ts2mqtt", "/usr"), Path("config.yaml")) == (
        "config.yaml is written. Next:",
        "  ts2mqtt check    looks once more at everything",
        "  ts2mqtt run      runs the bridge; Ctrl-C ends it",
        "Home Assistant shows the rig under Settings > Devices & services > MQTT.",
        "To run it always: docs/quick-start.md, 'As a service'.",
    )


def test_another_file_in_a_container() -> None:
    lines = next_steps(Installation("ts2mqtt", "/usr", is_in_container=True), Path("my rig.yaml"))
    assert lines[2] == '  ts2mqtt run -c "my rig.yaml"      runs the bridge; Ctrl-C ends it'
    assert lines[-1] == "This is a container: my rig.yaml lasts only in a folder that is mounted from outside."
