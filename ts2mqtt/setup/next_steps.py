"""What to type after the setup, in the way ts2mqtt was started on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

DEFAULT_CONFIG = Path("config.yaml")
_TEMPORARY_HOMES = {"uv": "uvx ts2mqtt", "pipx": "pipx run ts2mqtt"}


@dataclass(frozen=True, slots=True)
class Installation:
    """How this process was started: its program, and the folder of its Python environment.

    `is_on_path`: whether a terminal finds the program by its name alone.
    """

    program: str
    prefix: str
    is_in_container: bool = False
    is_on_path: bool = True

    @property
    def command(self) -> str:
        """What the user types for `ts2mqtt`."""
        # uvx and pipx run make environments that are thrown away, and put their program on no path.
        parts = PurePath(self.prefix).parts
        if "archive-v0" in parts or {"uv", "cache"} <= set(parts):
            return _TEMPORARY_HOMES["uv"]
        if "pipx" in parts and "venvs" not in parts:
            return _TEMPORARY_HOMES["pipx"]
        if PurePath(self.program).name == "__main__.py":
            return "python -m ts2mqtt"
        if PureWindowsPath(self.program).suffix == ".exe":
            # The program for Windows: PowerShell looks for none in the folder that one is in.
            return ".\\ts2mqtt.exe"
        return "ts2mqtt" if self.is_on_path else _for_a_shell(self.program)


def next_steps(installation: Installation, path: Path) -> tuple[str, ...]:
    """Lines for the terminal."""
    command = installation.command
    option = "" if path == DEFAULT_CONFIG else f" -c {_for_a_shell(path)}"
    lines = [
        f"{path} is written. Next:",
        f"  {command} check{option}    looks once more at everything",
        f"  {command} run{option}      runs the bridge; Ctrl-C ends it",
        "Home Assistant shows the rig under Settings > Devices & services > MQTT.",
    ]
    if installation.is_in_container:
        lines.append(f"This is a container: {path} lasts only in a folder that is mounted from outside.")
    else:
        lines.append("To run it always: docs/quick-start.md, 'As a service'.")
    return tuple(lines)


def _for_a_shell(path: Path | str) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text
