"""Every parser of foreign bytes, as a function of bytes: it may refuse them in words, and do nothing worse."""

from __future__ import annotations

import json
import logging
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import topics_of_example as of
from tests.support.build import profile, rig
from ts2mqtt.bridge.commands import Commands
from ts2mqtt.check.announcements import announcements_by_prefix
from ts2mqtt.config import load_config
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.transition import Presence, next_step, showing
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import Listing, NightPlan, Rig
from ts2mqtt.observatory.night import planning_inputs, rig_zone
from ts2mqtt.scheduler import client, translate as translation
from ts2mqtt.timing import SystemClock
from ts2mqtt.topics import decode
from ts2mqtt.topics.encode import RigView, event_payload, rig_messages
from ts2mqtt.topics.names import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOW = datetime(2026, 2, 27, 22, tzinfo=UTC)
_STATES = frozenset({"draft", "active", "inactive"})
_EMPTY = rig(Listing(()), id="backyard", name="Backyard")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a file of its own in it, where that is quicker than a disk


def api_answers(octets: bytes) -> None:
    """Profiles, projects, targets, statistics and blocks of the night plan, one after the other in five lines."""
    lines = [*octets.split(b"\n", 4), *[b"[]"] * 5]
    with suppress(Ts2mqttError):
        dates: list[datetime] = []
        targets = [translation.target(item) for item in client.TARGETS.read(lines[2]).items]
        with suppress(Ts2mqttError):
            found = client.STATISTICS.read(lines[3]).items
            targets = [
                replace(
                    target,
                    exposure_plans=tuple(
                        replace(plan, statistics=statistics.get(plan.key)) for plan in target.exposure_plans
                    ),
                )
                for target in targets
                for statistics in (translation.statistics_by_plan(target.exposure_plans, found),)
            ]
        wired = client.PROJECTS.read(lines[1]).items
        for item in wired:
            dates += (date for date in (item.create_date, item.active_date) if translation.is_dated(date))
        zone = rig_zone(dates, datetime(2026, 7, 1, tzinfo=UTC))
        projects = [replace(translation.project(item, zone), targets=Listing(tuple(targets))) for item in wired]
        profiles = [
            replace(translation.profile(item), projects=Listing(tuple(projects)))
            for item in client.PROFILES.read(lines[0]).items
        ]
        rig = replace(_EMPTY, profiles=Listing(tuple(profiles)))
        plan = _night_plan(rig, lines[4])
        _all_messages(rig, plan, Watch())
        _all_messages(rig, plan, observe(Watch(), Look(rig=_EMPTY, plan=None, now=_NOW)).watch)


def _night_plan(rig: Rig, octets: bytes) -> NightPlan | None:
    profile = rig.active_profile
    try:
        blocks = tuple(translation.plan_block(item, None) for item in client.PREVIEW.read(octets).items)
    except Ts2mqttError:
        return None
    if profile is None:
        return None
    return NightPlan(
        profile_id=profile.id, night=_NOW.date(), fetched=_NOW, blocks=blocks, inputs=planning_inputs(profile)
    )


def _all_messages(rig: Rig, plan: NightPlan | None, watch: Watch) -> None:
    observation = observe(watch, Look(rig=rig, plan=plan, now=_NOW))
    view = RigView(rig, observation.plan, observation.present, observation.watch)
    messages = rig_messages(of.NAMES.topics, view)
    messages |= device_messages(of.NAMES, rig, _STATES)
    for topic, message in messages.items():
        assert "#" not in topic
        assert "+" not in topic
        if not topic.endswith("/status"):
            json.loads(message.payload, parse_constant=_refuse_constant)
    for event in observation.events:
        json.loads(event_payload(rig, event))
    # What was published is what a later start finds.
    decode.recall(of.NAMES.topics, {topic: message.payload for topic, message in messages.items()})


def _refuse_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


@cache
def _small_device() -> bytes:
    """A profile's, which has the fewest entities."""
    messages = device_messages(of.NAMES, rig(Listing((profile(),)), id=of.RIG), _STATES)
    return messages[of.profile_device("profile")].payload


def retained(octets: bytes) -> None:
    """Anything under our own topics on the broker; one payload a line."""
    payloads = octets.split(b"\n")
    topics = (
        *(of.STATUS, of.BRIDGE, of.RIG_STATUS, of.RIG_STATE, "ts2mqtt/backyard/plan", of.profile(of.PROFILE_1)),
        *(of.project(of.P1), of.target(of.M31), of.target_device(of.M31), "ts2mqtt/bridge/removed/backyard"),
    )
    held = {topic: payloads[number % len(payloads)] for number, topic in enumerate(topics)}
    for recalled in decode.recall(of.NAMES.topics, held).values():
        dict(recalled.statistics)
        _all_messages(_EMPTY, recalled.watch.plan, recalled.watch)
    wanted = _small_device()
    for payload in set(held.values()):
        decode.parents(payload)
        decode.children(payload)
        decode.rigs_named_in(payload)
        decode.is_about(payload, Subject("backyard"))
        decode.heartbeat_in(payload)
        decode.is_question(payload)
        decode.instance_in(payload)
        for presence in Presence:
            next_step(wanted, payload, None, presence, _NOW)
            next_step(wanted, payload, payload, presence, _NOW)
            next_step(None, payload, payload, presence, _NOW)
        for stands in (None, wanted, payload):
            showing(stands, payload, _NOW)
    announcements_by_prefix((payload.decode(errors="replace") for payload in payloads), of.NAMES)


def commands(octets: bytes) -> None:
    """A topic, a line's end, and what was published on it."""
    topic, _, payload = octets.partition(b"\n")
    carried_out = Commands(of.NAMES.topics, {}, SystemClock())
    text = topic.decode(errors="replace")
    level = logging.getLogger("ts2mqtt").level
    for commanded in (text, "ts2mqtt/command", "ts2mqtt/backyard/command"):
        carried_out.carry_out(commanded, payload)
    logging.getLogger("ts2mqtt").setLevel(level)
    of.NAMES.topics.subject(text)
    of.NAMES.subject(text)
    of.NAMES.topics.is_own(text)


def config_file(octets: bytes) -> None:
    _load(octets, {})


def environment(octets: bytes) -> None:
    """One variable a line, `NAME=value`, over a file that is right; the prefix need not be written."""
    variables = (line.partition("=") for line in octets.decode(errors="surrogateescape").split("\n"))
    _load(
        b"mqtt: {host: broker}\nrigs: [{url: http://rig}]\n",
        {f"TS2MQTT_{name}": value.replace("\0", "") for name, _, value in variables},
    )


def _load(octets: bytes, variables: Mapping[str, str]) -> None:
    where = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as directory, suppress(Ts2mqttError):
        path = Path(directory, "config.yaml")
        path.write_bytes(octets)
        load_config(path, variables)


PARSERS: Mapping[str, Callable[[bytes], None]] = {
    parser.__name__: parser for parser in (api_answers, retained, commands, config_file, environment)
}
