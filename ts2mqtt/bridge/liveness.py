"""One connection's heartbeats: sends them, answers who asks, and hears whether another bridge is at work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ts2mqtt.bridge import heartbeat
from ts2mqtt.errors import BrokerUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.mqtt.connection import Connection

_ANSWER_S = 2.0
"""How long another bridge may take to answer a question on the heartbeat topic."""

_FENCE_S = 15.0
_FENCE_AGAIN_S = 1.0
_LEAST_QUESTION_GAP_S = 0.5


class Liveness:
    """`at_work` from when this bridge publishes on; a bridge at work answers, one that only listens does not."""

    def __init__(self, connection: Connection, topic: str, instance: str) -> None:
        self.at_work = False
        self.instance = instance
        self._connection = connection
        self._topic = topic
        self._pulse = heartbeat.Pulse(instance)
        self._returned = asyncio.Event()
        self._asked = asyncio.Event()
        self._other = asyncio.Event()

    def hear(self, payload: bytes) -> None:
        """What came on this bridge's own heartbeat topic."""
        if self.at_work and heartbeat.is_question(payload):
            self._asked.set()
        self.hear_beat(payload)

    def hear_beat(self, payload: bytes) -> None:
        """A heartbeat, whosever it is; of two bridges that are at work, the one that began later gives way."""
        beat = heartbeat.read(payload)
        if beat is None:
            return
        if beat.instance == self.instance:
            self._pulse.returned = max(self._pulse.returned, min(beat.number, self._pulse.sent))
            self._returned.set()
        elif beat.working and (not self.at_work or beat.instance < self.instance):
            self._other.set()

    async def somebody_answers(self, topics: list[str]) -> bool:
        """Asks on these topics whether a bridge is at work there."""
        for topic in topics:
            await (await self._connection.publish(topic, heartbeat.ASK, retain=False))
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                await self._other.wait()
        return self._other.is_set()

    async def until_another(self) -> None:
        """Returns when another bridge has the better right to work here."""
        await self._other.wait()

    async def fence(self) -> None:
        """Returns when a message sent now has come back, and with it all that the broker sent before it."""
        try:
            async with asyncio.timeout(_FENCE_S):
                await self._come_back()
        except TimeoutError as error:
            raise BrokerUnreachableError(
                f"the broker does not give back what is published on {self._topic}",
                "may this login read and write there?",
            ) from error

    async def beat(self, after_each: Callable[[], None]) -> None:
        """For ever; raises BrokerUnreachableError when the connection only looks alive."""
        silent = 0
        while silent <= heartbeat.MOST_UNRETURNED:
            returned = self._pulse.returned
            await self._send()
            await asyncio.sleep(heartbeat.INTERVAL_S)
            after_each()
            silent = 0 if self._pulse.returned > returned else silent + 1
        raise BrokerUnreachableError("heartbeats no longer come back through the broker")

    async def answer(self) -> None:
        """For ever; seldom, but each: who asks while a healthcheck is answered must not think that nobody works."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._send()
            await asyncio.sleep(_LEAST_QUESTION_GAP_S)

    async def _come_back(self) -> None:
        """Sends one, and another each second: a broker whose queue for us is full of what it retains drops it."""
        await self._send()
        awaited = self._pulse.sent
        while self._pulse.returned < awaited:
            self._returned.clear()
            try:
                async with asyncio.timeout(_FENCE_AGAIN_S):
                    await self._returned.wait()
            except TimeoutError:
                await self._send()

    async def _send(self) -> None:
        await self._connection.publish(self._topic, self._pulse.next(working=self.at_work), retain=False)
