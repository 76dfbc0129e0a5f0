"""The dialogue without a terminal: which question follows which answer, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.check import Cause, Finding
from ts2mqtt.setup.dialogue import INTRODUCTION, LOGIN_WANTED, dialogue
from ts2mqtt.setup.steps import (
    BrokerTrial,
    FileOrder,
    FileQuery,
    Findings,
    NinaTrial,
    Question,
    Remark,
    Report,
    RigTrial,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ts2mqtt.config import MqttConfig, RigConfig
    from ts2mqtt.setup.steps import Reply, Step

PASSWORD = "never-shown-9f3"  # noqa: S105 - the point is to look for it

BROKER = "Name or address of the MQTT broker"
USER, SECRET = "User name for the broker", "Password for the broker (it is not shown)"
RIG = "Name or address of the PC that runs N.I.N.A., such as 192.168.1.50"
API_USER, API_SECRET = "User name for the API", "Password for the API (it is not shown)"
WHAT_NOW = "C to change the address, t to try again, k to keep it as it is"
NAME, ANOTHER = "Name of the rig in Home Assistant", "Is there another rig? (y or n)"
CA_FILE = "File with the certificate of that authority, in PEM format (Enter: another address)"
OTHER_FILE = "Name of the file to write"

GOOD = Finding("login", "broker", True, 0.0, "as expected")
NO_LOGIN = Finding("login", "broker", False, 0.0, "refused", "Compare.", Cause.LOGIN)
OFF = Finding("TCP", "broker", False, 0.0, "refuses the connection", "Start it.")
WANTS_TLS = Finding("login", "broker", False, 0.0, "wants TLS", "Write it.", Cause.TLS_WANTED)
UNTRUSTED = Finding("TLS", "broker", False, 0.0, "is not known", "Write ca_file.", Cause.UNTRUSTED_CERTIFICATE)
MAY_NOT = Finding("base topic", "broker", False, 0.0, "does not let us publish", "Let this user.")

API = Finding("profiles", "rig rig", True, 0.0, "2 profiles")
CLOCK_OFF = Finding("clock", "rig rig", False, 0.0, "an hour ahead", "Set it.")


@dataclass
class Played:
    """A user who has these answers, in order, and peers of whom these things are found."""

    answers: Iterable[tuple[str, str]]
    broker: Iterable[Findings] = ((GOOD,),)
    apis: Mapping[str, Iterable[Findings]] = field(default_factory=lambda: {"http://pc:8188": ((API,),)})
    ninas: Mapping[str, Findings] = field(default_factory=dict)
    there: set[Path] = field(default_factory=set)
    not_writable: dict[Path, str] = field(default_factory=dict)

    said: list[str] = field(default_factory=list)
    proposals: dict[str, str] = field(default_factory=dict)
    brokers_tried: list[MqttConfig] = field(default_factory=list)
    rigs_tried: list[tuple[RigConfig, ...]] = field(default_factory=list)
    reported: list[Findings] = field(default_factory=list)
    written: tuple[Path, str] | None = None

    def __post_init__(self) -> None:
        self._answers = iter(self.answers)
        self._broker = iter(self.broker)
        self._apis = {url: iter(findings) for url, findings in self.apis.items()}

    def to_the_end(self, path: str = "config.yaml") -> str:
        """The text that was written."""
        steps = dialogue(Path(path))
        reply: Reply = None
        with pytest.raises(StopIteration) as ended:  # noqa: PT012 - the dialogue ends where it wants to
            while True:
                reply = self._reply_to(steps.send(reply))
        assert self.written
        assert ended.value.value == self.written[0]
        assert list(self._answers) == []
        assert PASSWORD not in str(self.said)
        return self.written[1]

    def _reply_to(self, step: Step) -> Reply:
        reply: Reply = None
        match step:
            case Question():
                text, answer = next(self._answers, ("no more questions", ""))
                assert step.text == text
                assert step.is_secret == step.text.startswith("Password")
                self.proposals[text] = step.proposal
                reply = answer or step.proposal
            case Remark():
                self.said.append(step.text)
            case Report():
                self.reported.append(step.findings)
            case BrokerTrial():
                self.brokers_tried.append(step.mqtt)
                reply = next(self._broker)
            case RigTrial():
                self.rigs_tried.append(step.rigs)
                reply = tuple(next(self._apis.get(rig.urls[0], iter(())), (OFF,)) for rig in step.rigs)
            case NinaTrial():
                reply = tuple(self.ninas.get(rig.nina_urls[0], (OFF,)) for rig in step.rigs)
            case FileQuery():
                reply = step.path in self.there
            case FileOrder():
                reply = self.not_writable.get(step.path, "")
                if not reply:
                    self.written = (step.path, step.text)
        return reply


BROKER_IS_GOOD = [(BROKER, "")]
RIG_IS_GOOD = [(RIG, "pc"), (NAME, ""), (ANOTHER, "")]


def test_the_shortest_way() -> None:
    played = Played([*BROKER_IS_GOOD, *RIG_IS_GOOD])
    text = played.to_the_end()

    assert played.proposals == {BROKER: "homeassistant.local", RIG: "", NAME: "Rig", ANOTHER: "n"}
    assert 'host: "homeassistant.local"' in text
    assert 'url: "http://pc:8188"' in text
    assert "username" not in text
    assert played.reported == [(API,)]
    assert played.said == [
        INTRODUCTION,
        (
            "Looking for the Target Scheduler's API at http://pc:8188, http://pc:8189, http://pc:8190, "
            "http://pc:8191, https://pc, http://pc ..."
        ),
    ]


def test_a_login_is_asked_for_where_one_is_wanted_and_again_while_it_is_wrong() -> None:
    answers = [
        *BROKER_IS_GOOD,
        (USER, "astro"),
        (SECRET, "wrong"),
        (USER, ""),
        (SECRET, PASSWORD),
        *RIG_IS_GOOD,
    ]
    played = Played(answers, broker=[(NO_LOGIN,), (NO_LOGIN,), (GOOD,)])
    text = played.to_the_end()

    assert played.said.count(LOGIN_WANTED) == 1
    assert played.proposals[USER] == "astro"
    assert [mqtt.username for mqtt in played.brokers_tried] == [None, "astro", "astro"]
    assert f'password: "{PASSWORD}"' in text


def test_a_login_that_is_none_is_asked_again() -> None:
    answers = [*BROKER_IS_GOOD, (USER, "astro"), (SECRET, ""), (USER, ""), (SECRET, "x"), *RIG_IS_GOOD]
    played = Played(answers, broker=[(NO_LOGIN,), (GOOD,)])
    played.to_the_end()
    assert "Expected a text; put it in quotes" in played.said


def test_who_may_do_nothing_without_a_login_is_asked_for_one() -> None:
    played = Played([*BROKER_IS_GOOD, (USER, "u"), (SECRET, "p"), *RIG_IS_GOOD], broker=[(MAY_NOT,), (GOOD,)])
    assert 'username: "u"' in played.to_the_end()


def test_a_user_who_may_not_publish_chooses_what_to_do() -> None:
    answers = [*BROKER_IS_GOOD, (USER, "u"), (SECRET, "p"), (WHAT_NOW, "k"), *RIG_IS_GOOD]
    assert 'username: "u"' in Played(answers, broker=[(NO_LOGIN,), (MAY_NOT,)]).to_the_end()


@pytest.mark.parametrize(
    ("choices", "host", "trials"),
    [
        ([(WHAT_NOW, "k")], "homeassistant.local", 1),
        ([(WHAT_NOW, "T"), (WHAT_NOW, "K")], "homeassistant.local", 2),
        ([(WHAT_NOW, "what?"), (WHAT_NOW, ""), (BROKER, "10.0.0.2"), (WHAT_NOW, "k")], "10.0.0.2", 2),
    ],
    ids=["keep", "try again", "change"],
)
def test_a_broker_that_is_off(choices: list[tuple[str, str]], host: str, trials: int) -> None:
    played = Played([*BROKER_IS_GOOD, *choices, *RIG_IS_GOOD], broker=[(OFF,)] * 3)
    assert f'host: "{host}"' in played.to_the_end()
    assert len(played.brokers_tried) == trials


def test_an_address_that_is_none_is_asked_again() -> None:
    played = Played([(BROKER, "two words"), (BROKER, "broker:99999"), (BROKER, "b:1884"), *RIG_IS_GOOD])
    text = played.to_the_end()
    assert played.said[1:3] == [
        "Expected the name or address of the MQTT broker, such as 192.168.1.10",
        "Expected a whole number from 1 to 65535",
    ]
    assert "port: 1884" in text


def test_tls_where_the_broker_wants_it() -> None:
    played = Played([(BROKER, "b:1884"), *RIG_IS_GOOD], broker=[(WANTS_TLS,), (GOOD,)])
    text = played.to_the_end()
    assert "It is tried with TLS." in played.said
    assert "  tls:\n    enabled: true\n" in text
    assert "port: 1884" in text


def test_a_certificate_that_is_not_trusted() -> None:
    authority = Path("ca.crt").absolute()
    answers = [(BROKER, "mqtts://b"), (CA_FILE, "missing.crt"), (CA_FILE, "ca.crt"), *RIG_IS_GOOD]
    played = Played(answers, broker=[(UNTRUSTED,), (GOOD,)], there={authority})
    assert f'ca_file: "{authority}"' in played.to_the_end()
    assert f"There is no file {Path('missing.crt').absolute()}." in played.said


def test_another_address_in_place_of_a_certificate() -> None:
    played = Played(
        [(BROKER, "mqtts://b"), (CA_FILE, ""), (BROKER, "c"), *RIG_IS_GOOD], broker=[(UNTRUSTED,), (GOOD,)]
    )
    assert 'host: "c"' in played.to_the_end()


def test_the_api_on_another_port() -> None:
    played = Played([*BROKER_IS_GOOD, *RIG_IS_GOOD], apis={"http://pc:8190": [(API, CLOCK_OFF)]})
    assert 'url: "http://pc:8190"' in played.to_the_end()
    assert played.reported == [(API, CLOCK_OFF)]


def test_two_apis_on_one_pc() -> None:
    which = "More than one API answers. Which one is this rig?"
    answers = [*BROKER_IS_GOOD, (RIG, "pc"), (which, "3"), (which, "2"), (NAME, ""), (ANOTHER, "")]
    played = Played(answers, apis={"http://pc:8188": [(API,)], "http://pc:8190": [(API,)]})
    assert 'url: "http://pc:8190"' in played.to_the_end()
    assert played.said[-2:] == ["  1  http://pc:8188", "  2  http://pc:8190"]


def test_no_api_answers() -> None:
    answers = [*BROKER_IS_GOOD, (RIG, "pc"), (WHAT_NOW, "t"), (WHAT_NOW, "c"), (RIG, ""), (WHAT_NOW, "k")]
    played = Played([*answers, (NAME, ""), (ANOTHER, "n")], apis={})
    assert 'url: "http://pc:8188"' in played.to_the_end()
    assert played.proposals[RIG] == "pc"
    assert played.reported == [(OFF,)] * 3


def test_no_address_of_a_rig() -> None:
    answers = [*BROKER_IS_GOOD, (RIG, ""), (RIG, "ftp://pc"), *RIG_IS_GOOD]
    played = Played(answers)
    played.to_the_end()
    assert played.said[1:3] == [
        "Without an address nothing can be tried.",
        "Expected an address that begins with http:// or https://",
    ]


def test_an_api_behind_a_login() -> None:
    answers = [
        *BROKER_IS_GOOD,
        (RIG, "https://proxy/x"),
        (API_USER, "u"),
        (API_SECRET, "p"),
        (NAME, "Far"),
        (ANOTHER, ""),
    ]
    refused = Finding("API", "rig rig", False, 0.0, "refused", "Write.", Cause.LOGIN)
    played = Played(answers, apis={"https://proxy/x": [(refused,), (API,)]})
    text = played.to_the_end()
    assert 'username: "u"\n' in text
    assert 'url: "https://proxy/x"' in text
    assert played.said[-1] == "Looking for the Target Scheduler's API at https://proxy ..."


def test_an_api_with_a_certificate_of_ones_own() -> None:
    authority = Path("ca.crt").absolute()
    answers = [
        *BROKER_IS_GOOD,
        (RIG, "https://proxy"),
        (CA_FILE, ""),
        (RIG, ""),
        (CA_FILE, "ca.crt"),
        (NAME, ""),
        (ANOTHER, ""),
    ]
    played = Played(answers, apis={"https://proxy": [(UNTRUSTED,), (UNTRUSTED,), (API,)]}, there={authority})
    assert f'ca_file: "{authority}"' in played.to_the_end()


def test_two_rigs_have_two_names_and_two_addresses() -> None:
    answers = [
        *BROKER_IS_GOOD,
        (RIG, "pc"),
        (NAME, "Backyard"),
        (ANOTHER, "maybe"),
        (ANOTHER, "y"),
        (RIG, "pc"),
        (RIG, "far"),
        (NAME, "backyard"),
        (NAME, "…"),
        (NAME, ""),
        (ANOTHER, ""),
    ]
    played = Played(answers, apis={"http://pc:8188": [(API,), (API,)], "http://far:8188": [(API,)]})
    text = played.to_the_end()
    assert text.count("  - name:") == 2
    assert 'id: "rig_2"' in text
    assert "This is the address of 'Backyard', which you have named already." in played.said
    assert "Another rig has this name. Write another one." in played.said
    assert any(said.startswith("The rig's name has no letter or digit") for said in played.said)


def test_a_file_that_is_there_stays() -> None:
    there = {Path("config.yaml"), Path("config-2.yaml"), Path("mine.yaml")}
    answers = [(OTHER_FILE, "mine.yaml"), (OTHER_FILE, ""), *BROKER_IS_GOOD, *RIG_IS_GOOD]
    played = Played(answers, there=there)
    played.to_the_end()
    assert played.written
    assert played.written[0] == Path("config-3.yaml")
    assert played.said[1:3] == [
        "config.yaml is there already. It stays as it is.",
        "mine.yaml is there already, too.",
    ]


def test_a_file_that_cannot_be_written() -> None:
    reason = "nowhere/config.yaml cannot be written: No such file or directory."
    answers = [*BROKER_IS_GOOD, *RIG_IS_GOOD, (OTHER_FILE, "here.yaml")]
    played = Played(answers, not_writable={Path("nowhere/config.yaml"): reason})
    played.to_the_end("nowhere/config.yaml")
    assert played.said[-1] == reason
    assert played.written
    assert played.written[0] == Path("here.yaml")


OFFER = "N.I.N.A.'s plugin Advanced API answers at http://pc:1889. Shall it tell what happens at once? (y or n)"
ITS_NINA = (Finding("live events", "rig rig", True, 0.0, "2.2"), Finding("profile", "rig rig", True, 0.0, "same"))
ANOTHER_NINA = (ITS_NINA[0], Finding("profile", "rig rig", False, 0.0, "another"))


@pytest.mark.parametrize(("answer", "is_written"), [("", True), ("y", True), ("n", False)])
def test_live_events_are_offered_where_the_rigs_own_nina_answers(answer: str, is_written: bool) -> None:
    answers = [*BROKER_IS_GOOD, (RIG, "pc"), (OFFER, answer), (NAME, ""), (ANOTHER, "")]
    played = Played(answers, ninas={"http://pc:1888": ANOTHER_NINA, "http://pc:1889": ITS_NINA})
    assert ('nina_url: "http://pc:1889"' in played.to_the_end()) is is_written


def test_live_events_are_not_offered_for_an_api_behind_a_proxy() -> None:
    answers = [*BROKER_IS_GOOD, (RIG, "https://proxy/x"), (NAME, ""), (ANOTHER, "")]
    assert "nina_url" not in Played(answers, apis={"https://proxy/x": [(API,)]}).to_the_end()
