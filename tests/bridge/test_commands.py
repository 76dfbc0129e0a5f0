"""What is said about commands that nobody can carry out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import topics_of_example as of
from ts2mqtt.bridge.commands import CommandListener, Commands
from ts2mqtt.mqtt.message import Received

if TYPE_CHECKING:
    from tests.support.running import Log


def test_commands_to_ever_other_rigs_do_not_flood_the_log(log: Log) -> None:
    unknown = Commands(lambda _: False, lambda _: False, lambda _: False)
    listener = CommandListener(of.NAMES.topics, unknown, lambda: None)
    for number in range(500):
        listener.hear(Received(f"ts2mqtt/rig{number}/command", b"refresh", retain=False))
    assert 1 <= len(log.about("is not understood")) <= 11
    assert len(log.problems) <= 12
