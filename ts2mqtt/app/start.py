"""Runs a command of ts2mqtt as an app (add-on) of Home Assistant, with the configuration from the app's options."""

from __future__ import annotations

import argparse
import http.client
import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ts2mqtt.config.keys import variable
from ts2mqtt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ts2mqtt.config.faults import KeyPath

_SUPERVISOR = "http://supervisor"
_SUPERVISOR_TIMEOUT_S = 10.0
_DONE, _WRONG_USE = 0, 2
_Parsed = TypeVar("_Parsed", bound=BaseModel)

# A field that the user has emptied may come as "".
Text = Annotated[str | None, BeforeValidator(lambda value: value or None)]


class _FromSupervisor(BaseModel):
    """Written by the Supervisor; an error's message never shows the input, as that may be a password."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class RigOptions(_FromSupervisor):
    name: str
    url: str
    nina_url: Text = None
    id: Text = None
    latitude: float | None = None
    longitude: float | None = None
    exposure_throttle: int | None = None
    time_zone: Text = None
    username: Text = None
    password: Text = None
    verify_tls: bool = True


class BrokerOptions(_FromSupervisor):
    """The address and login of a broker other than the Supervisor's, and what holds for either broker."""

    host: Text = None
    port: int | None = None
    username: Text = None
    password: Text = None
    tls: bool = False
    base_topic: Text = None
    client_id: Text = None


class Options(_FromSupervisor):
    """As in the schema of addon/config.yaml."""

    rigs: tuple[RigOptions, ...] = ()
    mqtt: BrokerOptions = BrokerOptions()
    language: Text = None
    project_states: tuple[str, ...] = ()
    night_plan: Text = None
    log_level: Text = None


class BrokerService(_FromSupervisor):
    """How the Supervisor says that an app can reach the broker (supervisor/services/modules/mqtt.py)."""

    host: str
    port: int
    ssl: bool = False
    username: Text = None
    password: Text = None


_UNASKED_BROKER = BrokerService(host="core-mosquitto", port=1883)


class _Answer(_FromSupervisor):
    result: Literal["ok", "error"]
    message: str = ""
    data: BrokerService | dict[str, object] | None = Field(None, union_mode="left_to_right")


class _OptionsAnswer(_FromSupervisor):
    result: Literal["ok", "error"]
    message: str = ""
    data: Options | None = None


class SupervisorAwayError(ConfigError):
    """The Supervisor does not answer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replaces this process by the command; returns only if the options or the broker cannot be used."""
    parser = argparse.ArgumentParser(prog="ts2mqtt.app", description=__doc__)
    parser.add_argument("command", choices=("run", "check", "healthcheck"))
    parser.add_argument("--supervisor", default=_SUPERVISOR, metavar="URL")
    chosen = parser.parse_args(arguments)
    try:
        options = _options(chosen.supervisor, os.environ)
        broker = _broker(options, chosen.command, chosen.supervisor)
    except SupervisorAwayError as error:
        sys.stderr.write(f"ts2mqtt: {error}\n")
        # Nobody but the Supervisor would restart the app.
        return _DONE if chosen.command == "healthcheck" else _WRONG_USE
    except ConfigError as error:
        sys.stderr.write(f"ts2mqtt: {error}\n")
        return _WRONG_USE
    return _replace_process(chosen.command, environment(options, broker))


def _broker(options: Options, command: str, supervisor: str) -> BrokerOptions | BrokerService:
    if options.mqtt.host:
        return options.mqtt
    if command == "healthcheck":
        # It asks no broker, and the Supervisor names none while the broker's app is stopped.
        return _UNASKED_BROKER
    return _broker_service(supervisor, os.environ)


def _replace_process(command: str, variables: Mapping[str, str]) -> NoReturn:
    # The command itself does not talk to the Supervisor.
    inherited = {name: value for name, value in os.environ.items() if name != "SUPERVISOR_TOKEN"}
    arguments = (sys.executable, "-m", "ts2mqtt", command)
    os.execve(sys.executable, arguments, {**inherited, **variables})  # noqa: S606 - no shell is wanted


def environment(options: Options, broker: BrokerOptions | BrokerService) -> dict[str, str]:
    """The bridge's TS2MQTT_… variables for these options."""
    settings = dict(_settings(options, broker))
    return {variable(key): _text(value) for key, value in settings.items() if value not in {None, ""}}


def _settings(options: Options, broker: BrokerOptions | BrokerService) -> Iterator[tuple[KeyPath, object]]:
    yield ("mqtt", "host"), broker.host
    yield ("mqtt", "port"), broker.port
    yield ("mqtt", "username"), broker.username
    yield ("mqtt", "password"), broker.password
    yield ("mqtt", "tls", "enabled"), broker.ssl if isinstance(broker, BrokerService) else broker.tls
    yield ("mqtt", "base_topic"), options.mqtt.base_topic
    yield ("mqtt", "client_id"), options.mqtt.client_id
    yield ("home_assistant", "language"), options.language
    yield ("home_assistant", "project_states"), ",".join(options.project_states)
    yield ("polling", "plan"), options.night_plan
    yield ("log", "level"), options.log_level
    for number, rig in enumerate(options.rigs):
        at: KeyPath = ("rigs", number)
        yield (*at, "name"), rig.name
        yield (*at, "url"), rig.url
        yield (*at, "nina_url"), rig.nina_url
        yield (*at, "id"), rig.id
        yield (*at, "site", "latitude"), rig.latitude
        yield (*at, "site", "longitude"), rig.longitude
        yield (*at, "exposure_throttle"), rig.exposure_throttle
        yield (*at, "time_zone"), rig.time_zone
        yield (*at, "username"), rig.username
        yield (*at, "password"), rig.password
        yield (*at, "verify_tls"), rig.verify_tls


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _options(supervisor: str, variables: Mapping[str, str]) -> Options:
    """The app's options; the Supervisor tells every app its own (supervisor/api/middleware/security.py)."""
    body = _asked(supervisor, "/addons/self/options/config", variables)
    answer = _parsed(_OptionsAnswer, body, "the options")
    if answer.data is None:
        raise ConfigError(f"the Supervisor does not tell the options: {answer.message or answer.result}")
    return answer.data


def _broker_service(supervisor: str, variables: Mapping[str, str]) -> BrokerService:
    """The broker of the Supervisor's MQTT service; ConfigError if there is none."""
    body = _asked(supervisor, "/services/mqtt", variables)
    answer = _parsed(_Answer, body, "the Supervisor's answer about its MQTT service")
    if not isinstance(answer.data, BrokerService):
        raise ConfigError(
            f"Home Assistant knows no MQTT broker ({answer.message or 'it named none'}): install the app Mosquitto "
            "broker and start it, or write the address of yours into the option mqtt.host"
        )
    return answer.data


def _asked(supervisor: str, path: str, variables: Mapping[str, str]) -> bytes:
    """The Supervisor's answer, whatever its status."""
    address = urlsplit(supervisor)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=_SUPERVISOR_TIMEOUT_S)
    try:
        token = variables.get("SUPERVISOR_TOKEN", "")
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise SupervisorAwayError(
            f"the Supervisor at {supervisor} does not answer: {error!r}; where there is none, run ts2mqtt itself"
        ) from error
    finally:
        connection.close()


def _parsed(model: type[_Parsed], text: bytes, what: str) -> _Parsed:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{what}: {faults}") from error
