"""The morning report: one for each night that is over, in words and with its picture, not before the chosen hour."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.node_red.events import NO_EVENTS, TOPIC, event
from tests.node_red.node_red import Flow

if TYPE_CHECKING:
    from tests.node_red.conftest import Deploy
    from tests.support.observer import Observer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SETTINGS, MAIL, TELEGRAM = "When, and to whom", "Connect your e-mail here", "Connect your Telegram here"
REPORT, PICTURE = "ts2mqtt/backyard/night", "ts2mqtt/backyard/night/image"
NIGHT = date(2026, 1, 10)
PNG = b"\x89PNG\r\n"
M31 = {
    "name": "M 31",
    "completed": True,
    "filters": [{"filter": "L", "acquired": 20}, {"filter": None, "acquired": 8}],
}
BROUGHT: dict[str, Any] = {
    "night": f"{NIGHT}",
    "planned_s": 28_800,
    "imaged_s": 25_920,
    "acquired": 58,
    "accepted": 50,
    "accepted_at_least": 50,
    "rejected": 5,
    "pending": 3,
    "integration_s": 17_400,
    "reason": None,
    "targets": [M31, {"name": "NGC 7000", "completed": False, "filters": [{"filter": "Ha", "acquired": 30}]}],
}


def morning_report(**settings: object) -> Flow:
    """Tells a night of long ago at once, and looks at its watch five times a second."""
    flow = Flow("morning-report").set(SETTINGS, **{"wait_s": 0} | settings).tap(MAIL).tap(TELEGRAM)
    flow.node("every 10 s")["repeat"] = "0.2"
    return flow


def over(night: date = NIGHT) -> bytes:
    return event("night_finished", night=night, count=58)


async def test_a_night_in_words_and_as_a_picture(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(morning_report(chat_id="4711"))
    await observer.publish(PICTURE, PNG, retain=True)
    await observer.publish(REPORT, json.dumps(BROUGHT), retain=True)
    await observer.publish(TOPIC, over())

    mail = await node_red.tells(MAIL)
    text = (
        "Imaged 7 h 12 min of 8 h planned.\n"
        "58 exposures, 4 h 50 min: 50 accepted, 5 rejected, 3 to be graded.\n"
        "M 31: 20 × L, 8 × no filter; completed\n"
        "NGC 7000: 30 × Ha"
    )
    assert (mail["topic"], mail["payload"]) == ("Backyard: the night of 2026-01-10", text)
    picture = {"type": "Buffer", "data": list(PNG)}
    assert mail["attachments"] == [
        {"filename": "night-2026-01-10.png", "content": picture, "contentType": "image/png"}
    ]
    caption = f"Backyard: the night of 2026-01-10\n{text}"
    assert (await node_red.tells(TELEGRAM))["payload"] == {
        "chatId": "4711",
        "caption": caption,
        "type": "photo",
        "content": picture,
        "options": {"caption": caption},
    }


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reason": "api_away"}, "N.I.N.A. did not answer."),
        ({"reason": "nothing_planned"}, "Nothing was planned."),
        ({"reason": "not_done"}, "Targets were planned, but nothing was imaged."),
        ({"reason": "unknown"}, "It is not known what happened."),
        ({"reason": "hail"}, "It is not known what happened."),
        (
            {"acquired": 1, "accepted": None, "accepted_at_least": 1, "integration_s": 300},
            "1 exposure, 5 min: at least 1 accepted.",
        ),
    ],
)
async def test_a_night_of_which_little_is_to_be_told(
    deploy: Deploy, observer: Observer, fields: dict[str, Any], text: str
) -> None:
    nothing = dict.fromkeys(BROUGHT) | {"night": f"{NIGHT}", "acquired": 0, "targets": []}
    node_red = await deploy(morning_report())
    # The event may be first.
    await observer.publish(TOPIC, over())
    await observer.publish(REPORT, json.dumps(nothing | fields), retain=True)
    assert (await node_red.tells(MAIL))["payload"] == text
    told = (await node_red.tells(TELEGRAM))["payload"]
    assert (told["type"], told["content"]) == ("message", f"Backyard: the night of 2026-01-10\n{text}")


async def test_what_is_graded_later_is_not_told_again_and_each_rig_has_its_own(
    deploy: Deploy, observer: Observer
) -> None:
    node_red = await deploy(morning_report())
    await observer.publish(REPORT, json.dumps(BROUGHT), retain=True)
    await observer.publish(TOPIC, over())
    await node_red.tells(MAIL)
    await observer.publish(REPORT, json.dumps(BROUGHT | {"accepted": 53, "pending": 0}), retain=True)
    await observer.publish("ts2mqtt/remote/night", json.dumps(BROUGHT), retain=True)
    await observer.publish("ts2mqtt/remote/event", over().replace(b"Backyard", b"Remote"))
    assert (await node_red.tells(MAIL, after=1))["topic"] == "Remote: the night of 2026-01-10"
    assert len(node_red.tapped(MAIL)) == 2


async def test_a_night_that_is_over_early_is_told_in_the_morning(deploy: Deploy, observer: Observer) -> None:
    """In the time zone of this machine, which is that of its Node-RED."""
    now = datetime.now(UTC).astimezone()
    soon = now + timedelta(hours=1)
    # By that hour, the report of the one has been due for most of a day, and that of the other is due in an hour.
    past, ahead = (now - timedelta(days=2)).date(), (soon - timedelta(days=1)).date()
    node_red = await deploy(morning_report(not_before=f"{soon:%H:%M}"))
    for rig, night in (("remote", ahead), ("backyard", past)):
        await observer.publish(f"ts2mqtt/{rig}/night", json.dumps(BROUGHT | {"night": f"{night}"}), retain=True)
        await observer.publish(f"ts2mqtt/{rig}/event", over(night).replace(b"Backyard", rig.title().encode()))
    assert (await node_red.tells(MAIL))["topic"] == f"Backyard: the night of {past}"
    assert len(node_red.tapped(MAIL)) == 1


async def test_what_is_no_report_is_not_told(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(morning_report())
    for payload in NO_EVENTS:
        for topic in (TOPIC, REPORT, "ts2mqtt/__proto__/night", "ts2mqtt/__proto__/event"):
            await observer.publish(topic, payload)
    await observer.publish(TOPIC, event("night_finished", night=None))
    await observer.publish(TOPIC, over())
    hostile = "a\nb\r\n\x1b[31mc\u202e" + "x" * 500
    targets = [None, {"name": hostile, "filters": [{"filter": hostile, "acquired": 1}]}, {}]
    await observer.publish(REPORT, json.dumps(BROUGHT | {"targets": targets}), retain=True)
    lines = (await node_red.tells(MAIL))["payload"].split("\n")
    assert [line[:20] for line in lines[2:]] == ["A target: ", "a b [31mc " + "x" * 10, "A target: "]
    assert len(node_red.tapped(MAIL)) == 1
