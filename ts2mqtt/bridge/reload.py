"""Reads the configuration again, has the bridge take up what it can, and says what it could not."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from ts2mqtt.config import load_config
from ts2mqtt.errors import ConfigError
from ts2mqtt.logs import format as log_format

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ts2mqtt.config import Changes, Config

_LOG = logging.getLogger(__name__)


def reload(
    take_up: Callable[[Config], Changes], path: Path | None, environment: Mapping[str, str], order: str = "SIGHUP"
) -> None:
    """`take_up` applies what it can of a configuration; one that is wrong is told in full and changes nothing.

    The log names the order.
    """
    try:
        loaded = load_config(path, environment)
    except ConfigError as error:
        _LOG.error("%s: the configuration is wrong, so the one before stays:", order)
        for fault in error.faults:
            _LOG.error("%s", fault)
        return
    for warning in loaded.warnings:
        _LOG.warning("%s", warning)
    changed = take_up(loaded.config)
    # Whoever asked for more, or for less, wants to see that it was understood.
    logger = logging.getLogger("ts2mqtt")
    logger.setLevel(min(logger.level, logging.INFO))
    _tell(changed, order)
    log_format.set_up(loaded.config.log.level, loaded.config.log.format)


def _tell(changed: Changes, order: str) -> None:
    if changed.applied:
        _LOG.info("%s: the configuration was read again; applied: %s", order, ", ".join(changed.applied))
    elif not changed.need_restart:
        _LOG.info("%s: the configuration was read again; nothing in it has changed", order)
    if changed.need_restart:
        _LOG.warning(
            "%s: changed, but not applied before ts2mqtt is restarted: %s", order, ", ".join(changed.need_restart)
        )


def hangup(reload: Callable[[], None], stop: Callable[[], None]) -> Callable[[], None]:
    """What a SIGHUP does: its first meaning is that the terminal is gone, and with it who wanted to watch."""
    # nohup has it ignored: then the bridge is meant to outlive its terminal.
    ignored = sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    watched = sys.stderr.isatty() and not ignored

    def hung_up() -> None:
        if watched and not os.isatty(sys.stderr.fileno()):
            stop()
        else:
            reload()

    return hung_up
