"""The bridge's command listener, and what it has carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import topics_of_example as of
from ts2mqtt.bridge.commands import CommandListener, Commands
from ts2mqtt.mqtt.connection import Received

if TYPE_CHECKING:
    from collections.abc import Callable

_KNOWN = frozenset({of.RIG, "debug", "info", "warning", "error"})


def listener(done: list[str]) -> CommandListener:
    """Of a bridge with the rig of the example; writes down what it carries out: `refresh backyard`, `rediscover`."""

    def carrying_out(order: str) -> Callable[[str], bool]:
        def carry_out(word: str) -> bool:
            done.append(f"{order} {word}")
            return word in _KNOWN

        return carry_out

    commands = Commands(carrying_out("log_level"), carrying_out("refresh"), carrying_out("refresh_plan"))
    return CommandListener(
        of.NAMES.topics, commands, lambda: done.append("rediscover"), lambda rig_id: rig_id == "elsewhere"
    )


def carried_out(topic: str, payload: str) -> list[str]:
    """What the bridge does when somebody publishes this."""
    done: list[str] = []
    listener(done).hear(Received(topic, payload.encode(), retain=False))
    return done
