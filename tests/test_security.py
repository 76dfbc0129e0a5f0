"""What SECURITY.md promises about brokers, secrets and hostile text, held against real peers."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.observer import observing, retained_on
from tests.support.running import bridge_config, mqtt_config, running_bridge
from ts2mqtt.bridge.clean import clean
from ts2mqtt.bridge.healthcheck import check_health
from ts2mqtt.check.broker import check_broker
from ts2mqtt.check.findings import Finding, as_text
from ts2mqtt.check.rig import check_rig
from ts2mqtt.config import Config, RigConfig
from ts2mqtt.logs.format import TextFormatter
from ts2mqtt.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

MINIMAL_ACL = (
    "user ts2mqtt",
    "topic readwrite ts2mqtt/#",
    "topic readwrite homeassistant/device/ts2mqtt/#",
    "topic read homeassistant/status",
)
"""As SECURITY.md shows it."""

_HOSTILE = "\x1b[2J\x1b]0;owned\x07 {{ 7*7 }} %s %(name)s {0.__class__} ../../etc #+/$SYS \u202egnp\n\r\x00\u2028"
_LOGIN = {"username": "ts2mqtt", "password": "right"}


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_the_documented_acl_is_the_one_that_is_tested(pytestconfig: pytest.Config) -> None:
    shown = (pytestconfig.rootpath / "SECURITY.md").read_text(encoding="utf-8")
    assert "\n".join(f"    {line}" for line in MINIMAL_ACL) in shown


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_under_the_minimal_acl_everything_works(
    mosquitto_with: Callable[..., Mosquitto], example: SimulatedObservatory, example_api: SimulatedApi, protocol: str
) -> None:
    doomed = example.add_project(example.active_profile, "Doomed")
    broker = mosquitto_with(
        users={"ts2mqtt": "right", "admin": "admin"}, acl=[*MINIMAL_ACL, "user admin", "topic readwrite #"]
    )
    config = bridge_config(mqtt_config(broker.port, protocol=protocol, **_LOGIN), example_api)
    async with broker, observing(broker.port, username="admin", password="admin") as observer:  # noqa: S106 - made up
        async with running_bridge(config):
            await all_published(observer)
            await check_health(config.mqtt)
            await observer.publish("homeassistant/status", "online")
            await observer.publish("ts2mqtt/backyard/command", "refresh_plan")
            await observer.wait_for("ts2mqtt/backyard/plan/image")
            example.remove_project(doomed)
            await observer.wait_until_gone(of.project(doomed.id), of.project_device(doomed.id))
        await observer.catch_up()
        assert observer.held[of.STATUS] == b"offline"
        findings = await _checked(config)
        assert not [finding for finding in findings if finding.ok is False]
        await clean(config)
        assert not await retained_on(broker.port, username="admin", password="admin")  # noqa: S106 - made up


async def test_no_text_of_the_api_is_part_of_a_topic_a_template_or_an_id(
    mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    for profile in example.profiles:
        example.rename(profile, _HOSTILE)
    for project in example.projects():
        example.rename(project, _HOSTILE)
    for target in example.targets():
        example.rename(target, _HOSTILE)
        for plan in target.exposure_plans:
            plan.template_name = plan.filter_name = _HOSTILE
    example.acquire(example.target(of.M31), 0, accepted=True)
    async with observing(mosquitto.port) as observer, running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await later_change(observer, example)
        topics = {seen.topic for seen in observer.seen}
        assert all(set(topic) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-/") for topic in topics), topics
        for device in (json.loads(payload) for topic, payload in observer.held.items() if topic.endswith("/config")):
            for key, component in device["components"].items():
                assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
                template = component.get("value_template", "")
                assert "7*7" not in template
                # An exposure plan's key is made of its template's name, and of letters and digits alone.
                assert not set(component.get("unique_id", "")) - set("abcdefghijklmnopqrstuvwxyz0123456789_-")


async def test_no_text_of_the_api_is_obeyed_by_a_log_or_a_terminal(
    mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi, log: Log
) -> None:
    keeper = _Keeper()
    logging.getLogger("ts2mqtt").addHandler(keeper)
    try:
        project = example.project(of.P1)
        example.rename(project, _HOSTILE)
        example_api.faults.add(f"/projects/{of.P1}/targets", Fault.body(b'[{"Id": "\\u001b[2J"}]'))
        async with running_bridge(bridge_config(mosquitto.port, example_api)):
            await log.says("owned")
    finally:
        logging.getLogger("ts2mqtt").removeHandler(keeper)
    lines = [TextFormatter().format(record) for record in keeper.records]
    assert any("owned" in line for line in lines)
    assert all(line.isprintable() for line in lines), lines


async def test_no_secret_is_told_whatever_fails(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, tmp_path: Path, log: Log
) -> None:
    secret = "s3cr3t-" + tmp_path.name
    logging.getLogger("paho").setLevel(logging.DEBUG)
    broker = mosquitto_with(users={"ts2mqtt": secret, "admin": "admin"})
    rig = RigConfig(
        name="Backyard",
        url=(example_api.url,),
        username="astro",
        password=SecretStr(secret),
        headers={"X-Api-Key": SecretStr(secret)},
    )
    broken = RigConfig(
        name="Broken", url=(f"http://127.0.0.1:9/{secret}",), headers={"Authorization": SecretStr(secret)}
    )
    # Two addresses: `check` tells which is which.
    elsewhere = RigConfig(
        name="Elsewhere", url=(f"{example_api.url}/{secret}", f"http://127.0.0.1:9/{secret}/x", "http://127.0.0.1:9")
    )
    good = mqtt_config(broker.port, username="ts2mqtt", password=SecretStr(secret))
    config = bridge_config(good, example_api).model_copy(update={"rigs": (rig, broken, elsewhere)})
    wrong = config.model_copy(update={"mqtt": good.model_copy(update={"password": SecretStr(f"{secret}-wrong")})})
    told = [repr(config), str(config), repr(wrong)]
    async with broker, observing(broker.port, username="admin", password="admin") as observer:  # noqa: S106 - made up
        async with running_bridge(config):
            await observer.wait_for(of.rig_device())
            example_api.faults.add("*", Fault.status(401))
            await log.says("wants another login")
            await log.says("Elsewhere: the API does not answer", "answers 404")
        async with running_bridge(wrong):
            await log.says("refuses")
        for finding in [*await _checked(config), *await _checked(wrong)]:
            told += [repr(finding), as_text(finding, "utf-8")]
        told += [f"{seen.topic} {seen.payload!r}" for seen in observer.seen]
    told += log.lines
    assert not [line for line in told if secret in line]
    assert len(told) > 20


async def _checked(config: Config) -> list[Finding]:
    findings: list[Finding] = []
    await check_broker(config.mqtt, config.home_assistant, findings.append)
    for rig in config.rigs:
        await check_rig(rig, config.polling, findings.append)
    return findings
