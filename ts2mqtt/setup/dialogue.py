"""The dialogue of `ts2mqtt setup`: which question follows which answer. It asks, tries and writes nothing itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ts2mqtt.check import Cause, Finding
from ts2mqtt.config import MqttConfig, RigConfig, config_text, without_path
from ts2mqtt.config.values import DEFAULT_NOT_MADE
from ts2mqtt.setup.addresses import ADVANCED_API_PORTS, advanced_api_addresses, api_addresses, broker_address
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
    from ts2mqtt.setup.steps import Dialogue, Reply

_Section = TypeVar("_Section", MqttConfig, RigConfig)

INTRODUCTION = (
    "This asks for your MQTT broker and for your rig, tries both, and writes a configuration. Enter alone takes what "
    "stands in brackets. Ctrl-C ends it; before the end nothing is written."
)
LOGIN_WANTED = (
    "The broker wants a login. For Home Assistant's Mosquitto broker it is a user of Home Assistant: make one under "
    "Settings > People > Users, or use one that is there."
)
_CHANGE, _AGAIN, _KEEP = "c", "t", "k"
_WHAT_NOW = f"{_CHANGE} to change the address, {_AGAIN} to try again, {_KEEP} to keep it as it is"


def dialogue(path: Path, nina_ports: tuple[int, ...] = ADVANCED_API_PORTS) -> Dialogue[Path]:
    """Asks for everything and orders the file; returns the path of the file that was written."""
    yield Remark(INTRODUCTION)
    path = yield from _free_path(path)
    mqtt = yield from _broker()
    rigs = [(yield from _rig((), nina_ports))]
    while (yield from _is_agreed("Is there another rig?", proposal="n")):
        rigs.append((yield from _rig(tuple(rigs), nina_ports)))
    text = config_text(mqtt, tuple(rigs))
    while reason := _text((yield FileOrder(path, text))):
        yield Remark(reason)
        path = yield from _other_path(path)
    return path


def _broker() -> Dialogue[MqttConfig]:
    """Asks for the address alone first: without a login a broker that wants one says so."""
    proposal = "homeassistant.local"
    while True:
        answer = yield from _ask(Question("Name or address of the MQTT broker", proposal))
        mqtt = _broker_at(answer)
        if isinstance(mqtt, str):
            yield Remark(mqtt)
            continue
        tried = yield from _tried_broker(mqtt)
        if tried is not None:
            return tried
        proposal = answer


def _broker_at(answer: str) -> MqttConfig | str:
    """What is wrong with the address, as text, if it is."""
    address = broker_address(answer)
    keys: dict[str, Any] = {"host": address.host}
    if address.port is not None:
        keys["port"] = address.port
    if address.is_tls:
        keys["tls"] = {"enabled": True}
    return _read(MqttConfig, keys)


def _tried_broker(mqtt: MqttConfig) -> Dialogue[MqttConfig | None]:
    """None where the user wants to write another address."""
    while True:
        findings = _findings((yield BrokerTrial(mqtt)))
        failed = _first_failed(findings)
        if failed is None:
            return mqtt
        if failed.cause is Cause.LOGIN or (failed.step == "base topic" and mqtt.username is None):
            if mqtt.username is None:
                yield Remark(LOGIN_WANTED)
            mqtt = yield from _with_login(mqtt, "broker")
        elif failed.cause is Cause.TLS_WANTED:
            yield Remark("It is tried with TLS.")
            mqtt = _changed(mqtt, tls={"enabled": True}, port=mqtt.port)
        elif failed.cause is Cause.UNTRUSTED_CERTIFICATE:
            ca_file = yield from _ca_file()
            if ca_file is None:
                return None
            mqtt = _changed(mqtt, tls={"enabled": True, "ca_file": ca_file})
        else:
            choice = yield from _choice()
            if choice != _AGAIN:
                return mqtt if choice == _KEEP else None


def _rig(others: tuple[RigConfig, ...], nina_ports: tuple[int, ...]) -> Dialogue[RigConfig]:
    proposal = ""
    while True:
        answer = yield from _ask(
            Question("Name or address of the PC that runs N.I.N.A., such as 192.168.1.50", proposal)
        )
        rigs = _rigs_at(answer)
        if isinstance(rigs, str):
            yield Remark(rigs)
            continue
        rig = yield from _tried_rig(rigs, nina_ports)
        if rig is not None and (taken := _owner_of(rig, others)):
            yield Remark(f"This is the address of {taken!r}, which you have named already.")
        elif rig is not None:
            return (yield from _named(rig, others))
        proposal = answer


def _rigs_at(answer: str) -> tuple[RigConfig, ...] | str:
    """One for each URL at which the API may answer; what is wrong with the address, as text, if it is."""
    rigs = []
    for url in api_addresses(answer):
        rig = _read(RigConfig, {"url": (url,)})
        if isinstance(rig, str):
            return rig
        rigs.append(rig)
    return tuple(rigs) or "Without an address nothing can be tried."


def _tried_rig(rigs: tuple[RigConfig, ...], nina_ports: tuple[int, ...]) -> Dialogue[RigConfig | None]:
    """The rig at which an API answers; None where the user wants to write another address."""
    while True:
        yield Remark(f"Looking for the Target Scheduler's API at {', '.join(_url(rig) for rig in rigs)} ...")
        found = _findings_of_each((yield RigTrial(rigs)))
        answering = [index for index, findings in enumerate(found) if _answers(findings)]
        if answering:
            chosen = answering[0]
            if len(answering) > 1:
                chosen = yield from _one_of([rigs[index] for index in answering], answering)
            yield Report(found[chosen])
            return (yield from _with_live_events(rigs[chosen], nina_ports))
        telling = _most_telling(found)
        yield Report(found[telling])
        failed = _first_failed(found[telling])
        cause = failed.cause if failed else None
        if cause is Cause.LOGIN:
            rigs = ((yield from _with_login(rigs[telling], "API")),)
        elif cause is Cause.UNTRUSTED_CERTIFICATE:
            ca_file = yield from _ca_file()
            if ca_file is None:
                return None
            rigs = (_changed(rigs[telling], ca_file=ca_file),)
        else:
            choice = yield from _choice()
            if choice != _AGAIN:
                return rigs[telling] if choice == _KEEP else None


def _with_live_events(rig: RigConfig, ports: tuple[int, ...]) -> Dialogue[RigConfig]:
    """Offers N.I.N.A.'s Advanced API where one answers that has the same profile."""
    urls = advanced_api_addresses(rig.urls[0], ports)
    if not urls:
        return rig
    candidates = tuple(_changed(rig, nina_url=(url,)) for url in urls)
    found = _findings_of_each((yield NinaTrial(candidates)))
    for candidate, findings in zip(candidates, found, strict=True):
        if _is_its_nina(findings):
            answers = f"N.I.N.A.'s plugin Advanced API answers at {candidate.nina_urls[0]}."
            is_agreed = yield from _is_agreed(f"{answers} Shall it tell what happens at once?", proposal="y")
            return candidate if is_agreed else rig
    return rig


def _one_of(rigs: list[RigConfig], indexes: list[int]) -> Dialogue[int]:
    """Each API that answers is a N.I.N.A. of its own."""
    for number, rig in enumerate(rigs, 1):
        yield Remark(f"  {number}  {_url(rig)}")
    while True:
        answer = yield from _ask(Question("More than one API answers. Which one is this rig?", "1"))
        if answer in {str(number) for number in range(1, len(rigs) + 1)}:
            return indexes[int(answer) - 1]


def _named(rig: RigConfig, others: tuple[RigConfig, ...]) -> Dialogue[RigConfig]:
    """With an id of its own, so that a later change of the name keeps the entities."""
    proposal = "Rig" if not others else f"Rig {len(others) + 1}"
    while True:
        name = yield from _ask(Question("Name of the rig in Home Assistant", proposal))
        named = _read(RigConfig, {**_keys(rig), "name": name})
        if isinstance(named, str):
            yield Remark(named)
        elif named.id in {other.id for other in others}:
            yield Remark("Another rig has this name. Write another one.")
        else:
            return _changed(named, id=named.id)


def _with_login(section: _Section, whose: str) -> Dialogue[_Section]:
    proposal = section.username or ""
    while True:
        username = yield from _ask(Question(f"User name for the {whose}", proposal))
        password = yield from _ask(Question(f"Password for the {whose} (it is not shown)", is_secret=True))
        keys = {**_keys(section), "username": username, "password": password}
        changed = _read(type(section), keys)
        if not isinstance(changed, str):
            return changed
        yield Remark(changed)
        proposal = username


def _ca_file() -> Dialogue[Path | None]:
    """The whole path: the configuration may lie in another folder than the user is in."""
    while True:
        answer = yield from _ask(
            Question("File with the certificate of that authority, in PEM format (Enter: another address)")
        )
        if not answer:
            return None
        path = Path(answer).expanduser().absolute()
        if _flag((yield FileQuery(path))):
            return path
        yield Remark(f"There is no file {path}.")


def _choice() -> Dialogue[str]:
    while True:
        answer = (yield from _ask(Question(_WHAT_NOW[0].upper() + _WHAT_NOW[1:], _CHANGE))).lower()
        if answer in {_CHANGE, _AGAIN, _KEEP}:
            return answer


def _is_agreed(text: str, *, proposal: str) -> Dialogue[bool]:
    while True:
        answer = (yield from _ask(Question(f"{text} (y or n)", proposal))).lower()
        if answer in {"y", "yes", "n", "no"}:
            return answer.startswith("y")


def _free_path(path: Path) -> Dialogue[Path]:
    if not _flag((yield FileQuery(path))):
        return path
    yield Remark(f"{path} is there already. It stays as it is.")
    return (yield from _other_path(path))


def _other_path(path: Path) -> Dialogue[Path]:
    number = 2
    while _flag((yield FileQuery(proposed := path.with_name(f"{path.stem}-{number}{path.suffix}")))):
        number += 1
    while True:
        other = Path((yield from _ask(Question("Name of the file to write", str(proposed))))).expanduser()
        if not _flag((yield FileQuery(other))):
            return other
        yield Remark(f"{other} is there already, too.")


def _ask(question: Question) -> Dialogue[str]:
    return _text((yield question))


def _read(model: type[_Section], keys: dict[str, Any]) -> _Section | str:
    """The section, or what is wrong with it in the words of the configuration's own checks."""
    try:
        return model(**keys)
    except ValidationError as error:
        faults = (fault["msg"] for fault in error.errors() if fault["type"] != DEFAULT_NOT_MADE)
        return "; ".join(dict.fromkeys(f"{text[:1].upper()}{text[1:]}" for text in faults))


def _changed(section: _Section, **keys: object) -> _Section:
    return type(section)(**{**_keys(section), **keys})


def _keys(section: MqttConfig | RigConfig) -> dict[str, Any]:
    """What was set, by the names in the file."""
    return section.model_dump(by_alias=True, exclude_unset=True)


def _url(rig: RigConfig) -> str:
    return without_path(rig.urls[0])


def _owner_of(rig: RigConfig, others: tuple[RigConfig, ...]) -> str | None:
    return next((other.name for other in others if other.urls == rig.urls), None)


def _answers(findings: Findings) -> bool:
    """A wrong clock is no reason to look elsewhere."""
    return any(finding.step == "profiles" and finding.ok for finding in findings)


def _is_its_nina(findings: Findings) -> bool:
    return any(finding.step == "profile" and finding.ok for finding in findings)


def _first_failed(findings: Findings) -> Finding | None:
    return next((finding for finding in findings if finding.ok is False), None)


def _most_telling(found: tuple[Findings, ...]) -> int:
    """Where only a login is missing; else where the API is likeliest."""
    for index, findings in enumerate(found):
        if any(finding.cause is Cause.LOGIN for finding in findings):
            return index
    return 0


def _text(reply: Reply) -> str:
    return reply if isinstance(reply, str) else ""


def _flag(reply: Reply) -> bool:
    return reply is True


def _findings(reply: Reply) -> Findings:
    return tuple(finding for finding in _items(reply) if isinstance(finding, Finding))


def _findings_of_each(reply: Reply) -> tuple[Findings, ...]:
    return tuple(findings for findings in _items(reply) if isinstance(findings, tuple))


def _items(reply: Reply) -> Findings | tuple[Findings, ...]:
    return reply if isinstance(reply, tuple) else ()
