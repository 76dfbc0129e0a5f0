"""What each command of the command line does; each loads only what it needs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ts2mqtt.errors import ConfigError, Ts2mqttError
from ts2mqtt.exit_codes import DONE, FAILED, WRONG_USE
from ts2mqtt.logs import format as log_format
from ts2mqtt.logs.wording import counted
from ts2mqtt.network import event_loop
from ts2mqtt.system.garbage import leave_what_is_loaded_alone, search_for_garbage_seldom
from ts2mqtt.system.signals import reload_on_hangup, stopping_on_signals
from ts2mqtt.timing import SystemClock, make_sure_of_time_zone

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine, Mapping

    from ts2mqtt.check import Finding
    from ts2mqtt.config import Config
    from ts2mqtt.demo.start import View

_DEFAULT_CONFIG = Path("config.yaml")


def carry_out(options: argparse.Namespace) -> int:
    """Runs the command that was chosen; the exit code, or an error of errors.py."""
    make_sure_of_time_zone()
    command = _COMMANDS[options.command]
    if command is not _run:
        _let_hangups_through()
    return command(options)


def _run(options: argparse.Namespace) -> int:
    # What is loaded is no garbage.
    search_for_garbage_seldom()
    from ts2mqtt.bridge.bridge import Bridge
    from ts2mqtt.bridge.reload import hangup, reload
    from ts2mqtt.bridge.side_by_side import first_to_end
    from ts2mqtt.bridge.sign_of_life import SignOfLife, sign_paths

    config = _config(options)
    leave_what_is_loaded_alone()
    search_for_garbage_seldom(len(config.rigs))

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


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "setup": _setup,
    "check": _check,
    "clean": _clean,
    "report": _report,
    "healthcheck": _healthcheck,
    "schema": _schema,
    "demo": _demo,
    "simulate": _simulate,
}
