"""Signs of life on one connection: sends them, answers who asks, and hears whether another bridge is at work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.side_by_side import first_to_end
from ts2mqtt.errors import BrokerUnreachableError, OtherBridgeError
from ts2mqtt.topics import decode
from ts2mqtt.topics.encode import ONLINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.timing import BrokerTimings
    from ts2mqtt.topics.names import TopicNames

_LEAST_ANSWER_GAP_S = 0.5


class Liveness:
    """`at_work` from when this bridge publishes on; a bridge at work answers, one that only listens does not."""

    def __init__(self, connection: Connection, topics: TopicNames, instance: str, timings: BrokerTimings) -> None:
        self.at_work = False
        self._connection = connection
        self._topics = topics
        self._instance = instance
        self._timings = timings
        self._pulse = heartbeat.Pulse(instance)
        self._returned = asyncio.Event()
        self._asked = asyncio.Event()
        self._other = asyncio.Event()

    def hear(self, payload: bytes) -> None:
        """What came on the heartbeat topic; of two bridges that work side by side the later one gives way."""
        if self.at_work and decode.is_question(payload):
            self._asked.set()
        beat = decode.heartbeat_in(payload)
        if beat is None:
            return
        if beat.instance == self._instance:
            self._pulse.returned = max(self._pulse.returned, min(beat.number, self._pulse.sent))
            self._returned.set()
        elif beat.working and (not self.at_work or beat.instance < self._instance):
            self._other.set()

    async def make_sure_of_being_alone(self, retained: Mapping[str, bytes], *, is_returning: bool) -> None:
        """Raises OtherBridgeError while another bridge is at work; `is_returning` after an earlier session of ours.

        To a broker two clients with one id are one client that has moved: whoever connects ends the other's
        connection. Then the bridge that was here first gives way, or the two would go on for ever.
        """
        instance_there = decode.instance_in(retained.get(self._topics.bridge, b""))
        if is_returning and instance_there is not None and instance_there > self._instance:
            raise OtherBridgeError(
                f"another bridge has begun to work under the base topic {self._topics.base!r}, with the same "
                "mqtt.client_id",
                "stop one of them, or give this one its own mqtt.base_topic and mqtt.client_id",
            )
        # Somebody may be at work here already, or the broker has not noticed that an earlier bridge has gone.
        if retained.get(self._topics.status) == ONLINE and await self._somebody_answers():
            raise OtherBridgeError(
                f"another bridge is at work under the base topic {self._topics.base!r}",
                "stop one of them, or give this one its own mqtt.base_topic and mqtt.client_id",
            )

    async def fence(self) -> None:
        """Returns when a message sent now has come back, and with it all that the broker sent before it.

        However long that takes: only a broker that sends nothing for a while counts as lost.
        """
        try:
            await self._connection.unless_silent(self._come_back(), self._timings.fence_s)
        except TimeoutError as error:
            raise BrokerUnreachableError(
                f"the broker does not give back what is published on {self._topics.heartbeat}",
                "may this login read and write there?",
            ) from error

    async def run(self) -> None:
        """For ever; raises OtherBridgeError, or BrokerUnreachableError when the connection only looks alive."""
        await first_to_end(self._beat(), self._answer(), self._give_way())

    async def _beat(self) -> None:
        silent = 0
        while silent <= heartbeat.MOST_UNRETURNED:
            returned = self._pulse.returned
            await self._send()
            await asyncio.sleep(self._timings.heartbeat_s)
            silent = 0 if self._pulse.returned > returned else silent + 1
        raise BrokerUnreachableError("heartbeats no longer come back through the broker")

    async def _answer(self) -> None:
        """At most twice a second, but each question: who asks beside a healthcheck must get an answer, too."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._send()
            await asyncio.sleep(_LEAST_ANSWER_GAP_S)

    async def _give_way(self) -> None:
        """When two bridges began at the same moment, and this is the later one."""
        await self._other.wait()
        raise OtherBridgeError(f"another bridge has begun to work under the base topic {self._topics.base!r}")

    async def _somebody_answers(self) -> bool:
        await (await self._connection.publish(self._topics.heartbeat, heartbeat.ASK, retain=False))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timings.answer_s):
                await self._other.wait()
        return self._other.is_set()

    async def _come_back(self) -> None:
        """Sends one, and another each second: a broker whose queue for us is full of what it retains drops it."""
        await self._send()
        awaited = self._pulse.sent
        while self._pulse.returned < awaited:
            self._returned.clear()
            try:
                async with asyncio.timeout(self._timings.fence_again_s):
                    await self._returned.wait()
            except TimeoutError:
                await self._send()

    async def _send(self) -> None:
        await self._connection.publish(self._topics.heartbeat, self._pulse.next(working=self.at_work), retain=False)
