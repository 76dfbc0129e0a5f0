"""A rig whose name was changed, and that has no id, is noticed by what the broker holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published
from tests.support.build import rig_config
from tests.support.running import bridge_config, running_bridge
from ts2mqtt.bridge.renamed_rigs import renamed_rigs
from ts2mqtt.topics.payloads import BridgeRig

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi

MESSAGE = (
    "Garden: this rig was called 'Backyard' before, and its id 'garden' is made from the new name: all its entities "
    "in Home Assistant begin anew, without their history. To keep them, write 'id: backyard' below its name in the "
    "configuration"
)


def rig(name: str, identity: str, host: str = "pc") -> BridgeRig:
    return BridgeRig(id=identity, name=name, url=f"http://{host}:8188")


OLD = rig("Backyard", "backyard")


def test_a_new_name_at_the_same_address() -> None:
    assert list(renamed_rigs([rig("Garden", "garden")], [OLD])) == [("Garden", MESSAGE)]


@pytest.mark.parametrize(
    "configured",
    [
        [OLD],
        [rig("Garden", "backyard")],
        [rig("Garden", "my_choice")],
        [rig("Garden", "garden", "elsewhere")],
        [OLD, rig("Garden", "garden", "elsewhere")],
        [],
    ],
    ids=["the same", "with its id", "an id that was chosen", "another rig", "a second rig", "no rig"],
)
def test_what_is_no_change_of_name(configured: list[BridgeRig]) -> None:
    assert list(renamed_rigs(configured, [OLD])) == []


def test_two_rigs_that_have_changed_their_addresses() -> None:
    before = [OLD, rig("Remote", "remote", "far")]
    assert list(renamed_rigs([rig("Backyard", "backyard", "far"), rig("Remote", "remote")], before)) == []


async def test_a_bridge_says_so_when_it_starts(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
    garden = rig_config(example_api, name="Garden")
    async with running_bridge(bridge_config(mosquitto.port, garden)):
        assert await log.says("this rig was called") == f"WARNING {MESSAGE}"
