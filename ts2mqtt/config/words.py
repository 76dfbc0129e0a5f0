"""The words of the configuration that stand elsewhere too: in payloads, in the log, in Home Assistant."""

from typing import Literal, TypeAlias, get_args

LogLevelWord: TypeAlias = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: tuple[LogLevelWord, ...] = get_args(LogLevelWord)

ProtocolWord: TypeAlias = Literal["3.1.1", "5"]
PROTOCOLS: tuple[ProtocolWord, ...] = get_args(ProtocolWord)
"""Versions of MQTT."""
