"""The command line: what it may say, and how it ends. It loads what a command needs once it is known which."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ts2mqtt import __version__
from ts2mqtt.errors import ConfigError, Ts2mqttError
from ts2mqtt.exit_codes import DONE, FAILED, WRONG_USE
from ts2mqtt.logs import streams
from ts2mqtt.system.output import write_what_is_missing_as_escapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")
"""Those that shtab knows."""

_FILE, _FOLDER = "FILE", "DIR"
_DEMO, _SIMULATE = "demo", "simulate"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0 when done, 2 when command line or config are wrong, 1 for anything else."""
    streams.open_closed()
    write_what_is_missing_as_escapes()
    code = _outcome(arguments)
    if not streams.flushed(sys.stdout):
        code = code or FAILED
    # What cannot be said cannot be helped: the log of a bridge may be full, and the bridge works on.
    streams.flushed(sys.stderr)
    return code


def _outcome(arguments: Sequence[str] | None) -> int:
    try:
        return _carried_out(arguments)
    except ConfigError as error:
        _complain(str(error))
        return WRONG_USE
    except Ts2mqttError as error:
        from ts2mqtt.logs.wording import printable

        _complain(f"ts2mqtt: {printable(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        return DONE
    except BrokenPipeError:
        # The reader of the output has ended (`| head`).
        streams.forget(sys.stdout)
        return DONE
    except OSError as error:
        if error.errno not in streams.NOT_WRITABLE:
            raise
        streams.forget(sys.stdout)
        _complain(f"ts2mqtt: the output cannot be written: {error.strerror}")
        return FAILED


def _carried_out(arguments: Sequence[str] | None) -> int:
    command_line = parser()
    options = command_line.parse_args(arguments)
    if options.command is None:
        command_line.print_help(sys.stderr)
        return WRONG_USE
    from ts2mqtt.commands import carry_out

    return carry_out(options)


def _complain(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """What the command line understands; its `command` is the name of the chosen command, or None."""
    command_line = argparse.ArgumentParser(
        prog="ts2mqtt",
        description="Publishes what N.I.N.A.'s Target Scheduler plans and has done to MQTT, for Home Assistant "
        "and Node-RED.",
    )
    command_line.add_argument("--version", action="version", version=f"ts2mqtt {__version__}")
    command_line.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=SHELLS,
        help="print a script with which a shell completes this command",
    )
    commands: Commands = command_line.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    _add_bridge_commands(commands)
    _add_schema_command(commands)
    _add_simulator_commands(commands)
    return command_line


class _PrintCompletion(argparse.Action):
    """Prints the script and ends; without it nobody waits for shtab to be loaded."""

    def __call__(
        self,
        command_line: argparse.ArgumentParser,
        _options: argparse.Namespace,
        shell: object,
        _name: str | None = None,
    ) -> None:
        import shtab

        completed = {_FILE: shtab.FILE, _FOLDER: shtab.DIRECTORY}
        for action in _all_actions(command_line):
            if action.metavar in completed:
                action.complete = completed[action.metavar]  # type: ignore[attr-defined] # how shtab is told
        print(shtab.complete(command_line, str(shell)))
        command_line.exit(DONE)


def _all_actions(command_line: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Of the command line and of its commands."""
    for action in command_line._actions:  # noqa: SLF001 - argparse has no public name for it
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _all_actions(command)


def _add_bridge_commands(commands: Commands) -> None:
    """Those that read a configuration."""
    for name, text in (
        ("run", "start the bridge, which publishes until Ctrl-C or SIGTERM ends it"),
        ("setup", "ask for broker and rig in a terminal, try both, and write config.yaml"),
        ("check", "look step by step whether broker and rigs can be used, and say what to do where not"),
        ("clean", "remove every retained topic and discovery config of this bridge from the broker"),
        ("report", "print what last night brought, from what the broker holds"),
        ("healthcheck", "tell whether the bridge on this machine works: exit code 0 if it does"),
    ):
        _add_command(commands, name, text).add_argument(
            "-c",
            "--config",
            type=Path,
            metavar=_FILE,
            help="the configuration (default: $TS2MQTT_CONFIG, else config.yaml if it is there)",
        )
    report = commands.choices["report"]
    report.add_argument("--night", type=_date, metavar="DATE", help="only of the night that began on this date")
    instead = report.add_mutually_exclusive_group()
    instead.add_argument("--json", action="store_true", help="a list of the payloads, one of each rig")
    instead.add_argument(
        "--png", type=Path, metavar=_FILE, help="write the picture there; of several rigs FILE-<rig>"
    )
    commands.choices["healthcheck"].add_argument(
        "--ready",
        action="store_true",
        help="ask through the broker instead: 0 only if the bridge receives its own messages",
    )
    commands.choices["check"].add_argument(
        "--json", action="store_true", help="a list of {step, subject, ok, seconds, message, advice} at the end"
    )


def _add_schema_command(commands: Commands) -> None:
    schema = _add_command(commands, "schema", "print topics and payloads as an AsyncAPI 3 document (JSON)")
    instead = schema.add_mutually_exclusive_group()
    instead.add_argument(
        "--config", action="store_true", help="instead, print the JSON Schema of config.yaml, for editors"
    )
    instead.add_argument(
        "--docs", type=Path, metavar=_FOLDER, help="instead, write the pages on topics and entities to this folder"
    )


def _add_simulator_commands(commands: Commands) -> None:
    for name, text, port in (
        (_DEMO, "run a broker, a simulated observatory and the bridge on this machine", 1883),
        (
            _SIMULATE,
            "run the simulated observatory alone: the same HTTP API, and N.I.N.A.'s live events",
            8188,
        ),
    ):
        added = _add_command(commands, name, text)
        added.add_argument(
            "--port", type=_port, default=port, help="port on 127.0.0.1, 0 for a free one (%(default)s)"
        )
        if name == _SIMULATE:
            added.add_argument(
                "--host",
                type=_address,
                default="127.0.0.1",
                metavar="ADDRESS",
                help="listen there instead; 0.0.0.0 lets everybody in the network ask (%(default)s)",
            )
            added.add_argument(
                "--nina-port",
                type=_port,
                default=1888,
                metavar="PORT",
                help="port of N.I.N.A.'s live events, 0 for a free one (%(default)s)",
            )
        added.add_argument(
            "--speed",
            type=_speed,
            default=60.0,
            help="how many times as fast as life; 1 has the time of this machine, at a place where it is evening now "
            "(%(default)g)",
        )
        added.add_argument(
            "--seed",
            type=int,
            metavar="N",
            help="repeat a run exactly: one evening in October 2026, the same happenings for the same N",
        )
        if name == _DEMO:
            added.add_argument("--plain", action="store_true", help="print every message instead of the live view")


def _add_command(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65_535:  # noqa: PLR2004 - what a port is
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected 0 to 65535")
    return port


def _date(text: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; expected one such as 2026-11-22") from None


def _address(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address; expected one of this machine's") from None


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 100_000:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; expected more than 0 and at most 100000")
    return speed
