"""The command line: what it may say, and what each command does and returns."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import shutil
import signal
import sys
from contextlib import suppress
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import shtab

from ts2mqtt import __version__
from ts2mqtt.errors import ConfigError, Ts2mqttError
from ts2mqtt.logs import format as log_format, streams
from ts2mqtt.logs.wording import counted, printable
from ts2mqtt.network import event_loop
from ts2mqtt.system.output import write_what_is_missing_as_escapes
from ts2mqtt.system.signals import reload_on_hangup, stopping_on_signals
from ts2mqtt.timing import SystemClock, make_sure_of_time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from ts2mqtt.check import Finding
    from ts2mqtt.config import Config
    from ts2mqtt.demo.start import View

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

DONE, FAILED, WRONG_USE = 0, 1, 2
_DEFAULT_CONFIG = Path("config.yaml")
_NEW_OBJECTS_A_COLLECTION = 20_000


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
        options = parser().parse_args(arguments)
        make_sure_of_time_zone()
        command: Callable[[argparse.Namespace], int] = options.command
        if command is not _run:
            _let_hangups_through()
        return command(options)
    except ConfigError as error:
        _complain(str(error))
        return WRONG_USE
    except Ts2mqttError as error:
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


def _complain(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """What the command line understands; its `command` is the function that runs the chosen command."""
    command_line = argparse.ArgumentParser(
        prog="ts2mqtt",
        description="Publishes what N.I.N.A.'s Target Scheduler plans and has done to MQTT, for Home Assistant "
        "and Node-RED.",
    )
    command_line.add_argument("--version", action="version", version=f"ts2mqtt {__version__}")
    shtab.add_argument_to(command_line, help="print a script with which a shell completes this command")
    commands: Commands = command_line.add_subparsers(title="commands", metavar="COMMAND")
    command_line.set_defaults(command=lambda _: _show_help(command_line))
    _add_bridge_commands(commands)
    _add_schema_command(commands)
    _add_simulator_commands(commands)
    return command_line


def _add_bridge_commands(commands: Commands) -> None:
    """Those that read a configuration."""
    for name, function, text in (
        ("run", _run, "start the bridge, which publishes until Ctrl-C or SIGTERM ends it"),
        ("setup", _setup, "ask for broker and rig in a terminal, try both, and write config.yaml"),
        ("check", _check, "look step by step whether broker and rigs can be used, and say what to do where not"),
        ("clean", _clean, "remove every retained topic and discovery config of this bridge from the broker"),
        ("report", _report, "print what last night brought, from what the broker holds"),
        ("healthcheck", _healthcheck, "tell whether the bridge on this machine works: exit code 0 if it does"),
    ):
        config = _add_command(commands, name, function, text).add_argument(
            "-c",
            "--config",
            type=Path,
            metavar="FILE",
            help="the configuration (default: $TS2MQTT_CONFIG, else config.yaml if it is there)",
        )
        config.complete = shtab.FILE  # type: ignore[attr-defined] # how shtab is told what to complete
    report = commands.choices["report"]
    report.add_argument("--night", type=_date, metavar="DATE", help="only of the night that began on this date")
    instead = report.add_mutually_exclusive_group()
    instead.add_argument("--json", action="store_true", help="a list of the payloads, one of each rig")
    png = instead.add_argument(
        "--png", type=Path, metavar="FILE", help="write the picture there; of several rigs FILE-<rig>"
    )
    png.complete = shtab.FILE  # type: ignore[attr-defined]
    commands.choices["healthcheck"].add_argument(
        "--ready",
        action="store_true",
        help="ask through the broker instead: 0 only if the bridge receives its own messages",
    )
    commands.choices["check"].add_argument(
        "--json", action="store_true", help="a list of {step, subject, ok, seconds, message, advice} at the end"
    )


def _add_schema_command(commands: Commands) -> None:
    schema = _add_command(commands, "schema", _schema, "print topics and payloads as an AsyncAPI 3 document (JSON)")
    instead = schema.add_mutually_exclusive_group()
    instead.add_argument(
        "--config", action="store_true", help="instead, print the JSON Schema of config.yaml, for editors"
    )
    docs = instead.add_argument(
        "--docs", type=Path, metavar="DIR", help="instead, write the pages on topics and entities to this folder"
    )
    docs.complete = shtab.DIRECTORY  # type: ignore[attr-defined]


def _add_simulator_commands(commands: Commands) -> None:
    for name, function, text, port in (
        ("demo", _demo, "run a broker, a simulated observatory and the bridge on this machine", 1883),
        (
            "simulate",
            _simulate,
            "run the simulated observatory alone: the same HTTP API, and N.I.N.A.'s live events",
            8188,
        ),
    ):
        added = _add_command(commands, name, function, text)
        added.add_argument(
            "--port", type=_port, default=port, help="port on 127.0.0.1, 0 for a free one (%(default)s)"
        )
        if function is _simulate:
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
        if function is _demo:
            added.add_argument("--plain", action="store_true", help="print every message instead of the live view")


def _add_command(
    commands: Commands, name: str, function: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    added.set_defaults(command=function)
    return added


def _show_help(command_line: argparse.ArgumentParser) -> int:
    """For a command line without a command."""
    command_line.print_help(sys.stderr)
    return WRONG_USE


def _run(options: argparse.Namespace) -> int:
    from ts2mqtt.bridge.bridge import Bridge
    from ts2mqtt.bridge.reload import hangup, reload
    from ts2mqtt.bridge.side_by_side import first_to_end
    from ts2mqtt.bridge.sign_of_life import SignOfLife, sign_paths

    config = _config(options)
    collect_garbage_seldom()

    async def run() -> None:
        sign_of_life = SignOfLife(sign_paths(config.mqtt, os.environ), SystemClock())
        bridge = Bridge(config, sign_of_life=sign_of_life)

        def read_again(order: str) -> None:
            try:
                path = _config_path(options)
            except ConfigError as error:
                logging.getLogger(__name__).warning("%s: the configuration stays as it is: %s", order, error)
            else:
                reload(bridge.reload, path, os.environ, order)

        async def read_again_when_ordered() -> None:
            while True:
                await bridge.take_reload_order()
                read_again("reload")

        with stopping_on_signals(bridge.stop):
            reload_on_hangup(hangup(lambda: read_again("SIGHUP"), bridge.stop))
            _let_hangups_through()
            await first_to_end(bridge.run(), read_again_when_ordered())

    event_loop.run(run())
    return DONE


def collect_garbage_seldom() -> None:
    """Spares the garbage collector objects that are never garbage.

    Code and tables stay until the end. Each rig has thousands of objects that live as long as it is configured, and
    almost none of them refer to each other in a circle. With Python's own threshold of 700 new objects, a fifth of a
    cold pass goes into the search for circles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_A_COLLECTION)


def _check(options: argparse.Namespace) -> int:
    from ts2mqtt.check import CONFIG, as_json, as_text, check

    log_format.set_up("error", "text")
    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        if not options.json:
            _print_line(as_text(finding, sys.stdout.encoding))

    event_loop.run(check(_config_path(options), os.environ, tell))
    if options.json:
        _print_line(as_json(findings))
    failed = {finding.subject for finding in findings if finding.ok is False}
    return WRONG_USE if CONFIG in failed else FAILED if failed else DONE


def _setup(options: argparse.Namespace) -> int:
    from ts2mqtt.setup import Installation, Terminal, make_sure_of_terminal, setup

    make_sure_of_terminal(sys.stdin, sys.stdout)
    log_format.set_up("error", "text")
    path = options.config or Path(os.environ.get("TS2MQTT_CONFIG") or _DEFAULT_CONFIG)
    in_container = any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
    is_on_path = shutil.which("ts2mqtt") is not None
    installation = Installation(sys.argv[0], sys.prefix, is_in_container=in_container, is_on_path=is_on_path)
    setup(path, installation, Terminal(sys.stdout))
    return DONE


def _clean(options: argparse.Namespace) -> int:
    from ts2mqtt.bridge.clean import clean

    config = _config(options)

    async def run() -> None:
        count = await clean(config)
        print(f"cleared {counted(count, 'topic')} under {config.mqtt.base_topic!r}")

    event_loop.run(run())
    return DONE


def _report(options: argparse.Namespace) -> int:
    from ts2mqtt.bridge.kept_nights import kept_nights
    from ts2mqtt.topics.night_text import night_lines

    config = _config(options)

    async def run() -> None:
        nights = await kept_nights(config, options.night)
        if options.png:
            pictures = {one.rig_id: one.picture for one in nights if one.picture}
            _write_pictures(options.png, pictures, is_of_one=len(config.rigs) == 1)
        elif options.json:
            print(json.dumps([one.night.model_dump(mode="json") for one in nights], indent=2))
        else:
            for one in nights:
                for line in night_lines(one.night):
                    _print_line(line)

    event_loop.run(run())
    return DONE


def _write_pictures(path: Path, pictures: dict[str, bytes], *, is_of_one: bool) -> None:
    if not pictures:
        raise Ts2mqttError("the broker holds no picture of this night")
    for rig_id, picture in pictures.items():
        own = path if is_of_one else path.with_stem(f"{path.stem}-{rig_id}")
        try:
            own.write_bytes(picture)
        except OSError as error:
            raise Ts2mqttError(f"cannot write {own}: {error.strerror}") from error
        _print_line(str(own))


def _healthcheck(options: argparse.Namespace) -> int:
    from ts2mqtt.bridge.sign_of_life import make_sure_of_life, sign_paths

    config = _config(options)
    if options.ready:
        from ts2mqtt.bridge.healthcheck import check_health

        event_loop.run(check_health(config.mqtt))
    else:
        make_sure_of_life(sign_paths(config.mqtt, os.environ), SystemClock())
    return DONE


def _schema(options: argparse.Namespace) -> int:
    if options.config:
        from ts2mqtt.config import config_json_schema

        print(config_json_schema(), end="")
    elif options.docs:
        from ts2mqtt.interface.pages import pages

        try:
            for name, text in pages().items():
                (options.docs / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise Ts2mqttError(f"cannot write to {options.docs}: {error.strerror}") from error
    else:
        from ts2mqtt.interface.asyncapi import asyncapi_json

        print(asyncapi_json(), end="")
    return DONE


def _demo(options: argparse.Namespace) -> int:
    from ts2mqtt.demo.start import demo

    log_format.set_up("warning", "text")
    view = _view(plain=options.plain)
    event_loop.run(
        _until_stopped(lambda stopping: demo(options.port, options.speed, stopping, view, seed=options.seed))
    )
    return DONE


def _view(*, plain: bool) -> View:
    """The live view where standard output is a terminal that can show it."""
    from rich.console import Console

    from ts2mqtt.demo.live_view import LiveView, can_show
    from ts2mqtt.demo.plain_lines import PlainLines

    console = Console()
    return LiveView(console, _print_line) if not plain and can_show(console) else PlainLines(_print_line)


def _simulate(options: argparse.Namespace) -> int:
    from ts2mqtt.demo.start import simulate

    log_format.set_up("info", "text")

    async def run(stopping: asyncio.Event) -> None:
        await simulate(
            options.port,
            options.speed,
            stopping,
            _print_line,
            seed=options.seed,
            host=options.host,
            nina_port=options.nina_port,
        )

    event_loop.run(_until_stopped(run))
    return DONE


async def _until_stopped(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Runs work that ends when its event is set, which SIGTERM and Ctrl-C do."""
    stopping = asyncio.Event()
    with stopping_on_signals(stopping.set):
        await work(stopping)


def _let_hangups_through() -> None:
    """From now on a SIGHUP is heard, also one that came while the program was starting (__main__.py)."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _config(options: argparse.Namespace) -> Config:
    """The configuration; sets up the log as it says, and logs its warnings."""
    from ts2mqtt.config import load_config

    loaded = load_config(_config_path(options), os.environ)
    log_format.set_up(loaded.config.log.level, loaded.config.log.format)
    for warning in loaded.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    return loaded.config


def _config_path(options: argparse.Namespace) -> Path | None:
    if options.config:
        return Path(options.config)
    if from_environment := os.environ.get("TS2MQTT_CONFIG"):
        return Path(from_environment)
    try:
        is_there = _DEFAULT_CONFIG.exists()
        # Variables alone may be a configuration, too.
        is_meant = not any(name.startswith("TS2MQTT_") for name in os.environ)
    except PermissionError as error:
        # As in a container, in which a folder is mounted that belongs to another user.
        raise ConfigError(
            f"{_DEFAULT_CONFIG}: cannot look for it in {Path.cwd()}: {error.strerror}; let ts2mqtt's user read there"
        ) from error
    return _DEFAULT_CONFIG if is_there or is_meant else None


def _print_line(line: str) -> None:
    print(line, flush=True)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65_535:  # noqa: PLR2004 - what a port is
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected 0 to 65535")
    return port


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; expected one such as 2026-11-22") from None


def _address(text: str) -> str:
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
