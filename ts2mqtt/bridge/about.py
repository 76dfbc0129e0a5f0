"""What the bridge says about itself, on its own topic."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from ts2mqtt import __version__
from ts2mqtt.logs import format as log_format
from ts2mqtt.scheduler.client import public_url
from ts2mqtt.topics import payloads
from ts2mqtt.topics.message import Message

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.config import Config

_LONGEST_PROBLEM = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What stays the same while a bridge runs; `instance` tells it from others, of two the earlier sorts first."""

    instance: str
    since: datetime
    protocol: str
    rigs: tuple[payloads.BridgeRig, ...]

    @classmethod
    def of(cls, config: Config, instance: str, since: datetime) -> Self:
        rigs = (payloads.BridgeRig(id=rig.id, name=rig.name, url=public_url(rig.urls[0])) for rig in config.rigs)
        return cls(instance=instance, since=since, protocol=config.mqtt.protocol, rigs=tuple(rigs))


def about(identity: Identity, carried: CarriedOver) -> Message:
    """The payload for the bridge's own topic; another one when a rig comes or goes, or when something fails anew."""
    updates = carried.desired.updates
    problems = (carried.failures.latest, *(update.problem for update in updates))
    latest = max(filter(None, problems), key=attrgetter("told"), default=None)
    payload = payloads.Bridge(
        version=__version__,
        instance=identity.instance,
        since=identity.since,
        protocol=identity.protocol,
        log_level=log_format.level(),
        last_problem=latest.text[:_LONGEST_PROBLEM] if latest else None,
        rigs_online=sum(update.rig.online is True for update in updates),
        rigs=list(identity.rigs),
    )
    return Message(payload.to_bytes())
