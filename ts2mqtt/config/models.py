"""The keys of the configuration as models, with their defaults, limits and the descriptions for editors."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from ts2mqtt.config.durations import DAY, HOUR, MINUTE, format_duration
from ts2mqtt.config.faults import KeyPath, dotted
from ts2mqtt.config.values import (
    ApiVersion,
    ClientId,
    Concurrency,
    Duration,
    FileName,
    Flag,
    Headers,
    Host,
    Language,
    Latitude,
    LogFormat,
    LogLevel,
    Longitude,
    Name,
    NinaUrls,
    Password,
    PlanMode,
    Port,
    ProjectStates,
    Protocol,
    Qos,
    RigId,
    Seconds,
    Throttle,
    TimeZone,
    Topic,
    TopicLevels,
    Transport,
    Urls,
    Username,
    WebsocketPath,
    conflict,
    expected,
    same_address,
    slug,
    without_path,
)

_Secret = TypeVar("_Secret", SecretStr | None, Path | None)


class _Section(BaseModel):
    # Errors never show their input: it may be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TlsConfig(_Section):
    """Encryption of the connection to the broker."""

    enabled: Flag = Field(default=False, description="Talk to the broker over TLS.")
    ca_file: FileName | None = Field(
        default=None,
        description="Certificate of the authority that signed the broker's; by default those of the system.",
        examples=["ca.crt"],
    )
    cert_file: FileName | None = Field(
        default=None,
        description="Certificate with which ts2mqtt identifies itself to the broker.",
        examples=["client.crt"],
    )
    key_file: FileName | None = Field(
        default=None,
        description="Private key of cert_file, where it is not in the same file.",
        examples=["client.key"],
    )
    insecure: Flag = Field(default=False, description="Do not check the broker's certificate. For a first try only.")

    @field_validator("key_file")
    @classmethod
    def _belongs_to_a_certificate(cls, key_file: Path | None, info: ValidationInfo) -> Path | None:
        if key_file is not None and info.data.get("cert_file", key_file) is None:
            raise conflict("found without cert_file; expected both, or neither")
        return key_file


def _default_port(read: dict[str, object]) -> int:
    tls = read["tls"]
    return 8883 if isinstance(tls, TlsConfig) and tls.enabled else 1883


class MqttConfig(_Section):
    """The MQTT broker, and the name under which ts2mqtt appears there."""

    host: Host = Field(description="Name or address of the MQTT broker.", examples=["192.168.1.10"])
    tls: TlsConfig = Field(default_factory=TlsConfig, description="Encryption of the connection to the broker.")
    port: Port = Field(
        default_factory=_default_port,
        description="Port of the broker; 8883 by default when tls is on.",
        json_schema_extra={"default": 1883},
    )
    protocol: Protocol = Field(default="3.1.1", description="Version of MQTT, 3.1.1 or 5. Every broker knows 3.1.1.")
    username: Username | None = Field(default=None, description="User name for the broker.", examples=["ts2mqtt"])
    password: Password | None = Field(default=None, description="Password for the broker.", examples=["change-me"])
    password_file: FileName | None = Field(
        default=None,
        description="File that holds the password, in place of password.",
        examples=["mqtt-password.txt"],
    )
    client_id: ClientId = Field(
        default="ts2mqtt", description="How the broker tells its clients apart; each needs its own."
    )
    base_topic: TopicLevels = Field(default="ts2mqtt", description="Every topic of ts2mqtt begins with this.")
    transport: Transport = Field(default="tcp", description="tcp, or websockets through a web proxy.")
    websocket_path: WebsocketPath = Field(default="/mqtt", description="Path on the web server, for websockets.")
    qos: Qos = Field(
        default=1, description="MQTT quality of service: 1 asks for an acknowledgement of every message, 0 does not."
    )
    keepalive: Annotated[Seconds, Duration(5, 18 * HOUR)] = Field(
        default=MINUTE, description="After how much silence ts2mqtt and the broker look for each other."
    )

    @field_validator("password", "password_file")
    @classmethod
    def _belongs_to_a_user(cls, secret: _Secret, info: ValidationInfo) -> _Secret:
        # MQTT 3.1.1 forbids a password without a user name [MQTT-3.1.2-22]; MQTT 5 allows it (tokens).
        if info.data.get("protocol") == "3.1.1":
            _refuse_without_user(secret, info)
        return secret

    @field_validator("password_file")
    @classmethod
    def _is_the_only_password(cls, password_file: Path | None, info: ValidationInfo) -> Path | None:
        return _refuse_second_password(password_file, info)


class HomeAssistantConfig(_Section):
    """What Home Assistant is told through MQTT discovery."""

    enabled: Flag = Field(default=True, description="Announce devices and entities to Home Assistant.")
    discovery_prefix: TopicLevels = Field(
        default="homeassistant",
        description="Discovery prefix, as set in Home Assistant's MQTT integration.",
    )
    status_topic: Topic = Field(
        default="homeassistant/status",
        description="Where Home Assistant says that it has started, its birth message.",
    )
    project_states: ProjectStates = Field(
        default=("Draft", "Active", "Inactive"),
        description="Projects in these states, and their targets, become devices.",
    )
    language: Language = Field(
        default="en",
        description="Language of names, units and states of entities, en or de. Ids and topics are the same in both.",
    )


class SiteConfig(_Section):
    """Where on Earth the rig stands."""

    latitude: Latitude = Field(description="Degrees, north of the equator positive.", examples=[47.37])
    longitude: Longitude = Field(description="Degrees, east of Greenwich positive.", examples=[8.54])


def _id_from_name(read: dict[str, object]) -> str:
    return slug(str(read["name"]))


class RigConfig(_Section):
    """One N.I.N.A. with the Target Scheduler API enabled."""

    name: Name = Field(default="Rig", description="What the rig is called in Home Assistant.", examples=["Backyard"])
    id: RigId = Field(
        default_factory=_id_from_name,
        validate_default=True,
        description="Part of every topic and entity id; by default made from the name. A change makes new entities.",
        examples=["backyard"],
    )
    urls: Urls = Field(
        alias="url",
        repr=False,
        description="Address of the API, or a list of addresses that are tried in turn: "
        "the port may change with the N.I.N.A. profile.",
        examples=["http://192.168.1.50:8188"],
    )
    api_version: ApiVersion = Field(default="v0", description="Version in the API's address.")
    nina_urls: NinaUrls = Field(
        default_factory=tuple,
        alias="nina_url",
        description="Address of N.I.N.A.'s plugin Advanced API, for live events, or a list of addresses that are "
        "tried in turn. Without it ts2mqtt knows what the Target Scheduler's database tells.",
        examples=["http://192.168.1.50:1888"],
    )
    exposure_throttle: Throttle = Field(
        default=125,
        description="The exposure throttle in percent, as in the Target Scheduler's preferences: its API does not "
        "tell. It counts for projects without grading.",
    )
    time_zone: TimeZone | None = Field(
        default=None,
        description="The IANA name of the rig's time zone; only where the API sends dates without an offset.",
        examples=["America/New_York"],
    )
    site: SiteConfig | None = Field(default=None, description="Where on Earth the rig stands.")
    username: Username | None = Field(
        default=None, description="User name, for an API behind a reverse proxy.", examples=["astro"]
    )
    password: Password | None = Field(
        default=None, description="Password, for an API behind a reverse proxy.", examples=["change-me"]
    )
    password_file: FileName | None = Field(
        default=None,
        description="File that holds the password, in place of password.",
        examples=["rig-password.txt"],
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers sent with every request, for an API behind a reverse proxy.",
        examples=[{"X-Api-Key": "change-me"}],
    )
    ca_file: FileName | None = Field(
        default=None,
        description="Certificate of the authority that signed the proxy's; by default those of the system.",
        examples=["proxy-ca.crt"],
    )
    verify_tls: Flag = Field(
        default=True, description="Check the proxy's certificate. Turn off for a first try only."
    )

    @field_validator("password", "password_file")
    @classmethod
    def _belongs_to_a_user(cls, secret: _Secret, info: ValidationInfo) -> _Secret:
        _refuse_without_user(secret, info)
        return secret

    @field_validator("password_file")
    @classmethod
    def _is_the_only_password(cls, password_file: Path | None, info: ValidationInfo) -> Path | None:
        return _refuse_second_password(password_file, info)

    @property
    def zone(self) -> ZoneInfo | None:
        """The rig's time zone, where it is configured."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @field_validator("headers")
    @classmethod
    def _has_one_login(cls, headers: Mapping[str, SecretStr], info: ValidationInfo) -> Mapping[str, SecretStr]:
        if info.data.get("username") and any(name.lower() == "authorization" for name in headers):
            raise conflict("found both username and the header Authorization; expected only one")
        return headers


def _refuse_without_user(secret: SecretStr | Path | None, info: ValidationInfo) -> None:
    if secret is not None and "username" in info.data and info.data["username"] is None:
        raise conflict("found without username; expected both, or neither")


def _refuse_second_password(password_file: Path | None, info: ValidationInfo) -> Path | None:
    if password_file is not None and info.data.get("password") is not None:
        raise conflict("found both password and password_file; expected only one")
    return password_file


def _usual_edit_interval(read: dict[str, object]) -> Seconds:
    return _no_sooner_than_interval(2 * MINUTE, read)


def _usual_slow_interval(read: dict[str, object]) -> Seconds:
    return _no_sooner_than_interval(10 * MINUTE, read)


def _no_sooner_than_interval(usual: Seconds, read: dict[str, object]) -> Seconds:
    interval = read["interval"]
    return max(usual, interval) if isinstance(interval, float) else usual


class PollingConfig(_Section):
    """What the rigs are asked, and how often: their PCs guide and download images meanwhile."""

    interval: Annotated[Seconds, Duration(5, DAY)] = Field(
        default=30.0,
        description="How often a rig is asked whether it answers, which profile is active, and what is imaged.",
    )
    edit_interval: Annotated[Seconds, Duration(5, 7 * DAY)] = Field(
        default_factory=_usual_edit_interval,
        description="How often what a user edits is read: projects of the active profile, targets of Active ones.",
        json_schema_extra={"default": "2m"},
    )
    slow_interval: Annotated[Seconds, Duration(5, 7 * DAY)] = Field(
        default_factory=_usual_slow_interval,
        description="How often other profiles, and projects that are not Active, are read.",
        json_schema_extra={"default": "10m"},
    )
    statistics_interval: Annotated[Seconds, Duration(MINUTE, 30 * DAY)] = Field(
        default=6 * HOUR,
        description="How often all image statistics are read again; otherwise only after counts have changed.",
    )
    plan: PlanMode = Field(
        default="auto",
        description="The night plan. auto: once for a night, again when what it depends on has changed, "
        "never while imaging; manual: only on request; off: never.",
    )
    plan_interval: Annotated[Seconds, Duration(MINUTE, 7 * DAY)] = Field(
        default=30 * MINUTE, description="The night plan is asked for at most once in this time."
    )
    concurrency: Concurrency = Field(default=2, description="Requests at once to one rig.")
    timeout: Annotated[Seconds, Duration(0.1, 10 * MINUTE)] = Field(
        default=20.0, description="How long an answer of a rig may take."
    )
    plan_timeout: Annotated[Seconds, Duration(0.1, HOUR)] = Field(
        default=120.0, description="How long the night plan may take."
    )

    @field_validator("edit_interval", "slow_interval")
    @classmethod
    def _is_the_slower_one(cls, slower: Seconds, info: ValidationInfo) -> Seconds:
        interval = info.data.get("interval", slower)
        if slower < interval:
            raise expected(f"at least polling.interval, which is {format_duration(interval)}")
        return slower


class LogConfig(_Section):
    """What ts2mqtt says on standard error."""

    level: LogLevel = Field(default="info", description="How much is said: debug, info, warning or error.")
    format: LogFormat = Field(default="text", description="text for people, json for machines.")


class Config(_Section):
    """Configuration of ts2mqtt."""

    mqtt: MqttConfig = Field(description="The MQTT broker.")
    home_assistant: HomeAssistantConfig = Field(
        default_factory=HomeAssistantConfig, description="What Home Assistant is told through MQTT discovery."
    )
    rigs: tuple[RigConfig, ...] = Field(
        min_length=1, description="The rigs: each one N.I.N.A. with the Target Scheduler API enabled."
    )
    polling: PollingConfig = Field(
        default_factory=PollingConfig, description="What the rigs are asked, and how often."
    )
    log: LogConfig = Field(default_factory=LogConfig, description="What ts2mqtt says on standard error.")

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        for key, text in conflicts(self.mqtt, self.home_assistant, dict(enumerate(self.rigs))):
            raise conflict(f"{dotted(key)}: {text}")
        return self


def conflicts(
    mqtt: MqttConfig | None, home_assistant: HomeAssistantConfig | None, rigs: Mapping[int, RigConfig]
) -> Iterator[tuple[KeyPath, str]]:
    """Where sections contradict each other: the key that should change, and why.

    A section that is not valid by itself is left out, as None or missing from `rigs`.
    """
    if mqtt and home_assistant and home_assistant.enabled:
        yield from _topic_conflicts(mqtt.base_topic, home_assistant)
    ids: dict[str, int] = {}
    addresses: dict[tuple[str, str], int] = {}
    for index, rig in rigs.items():
        first = ids.setdefault(rig.id, index)
        if first != index:
            yield (
                ("rigs", index, "id"),
                (
                    f"the id {rig.id!r} of {rig.name!r} is also that of rigs[{first}] {rigs[first].name!r}; "
                    "give one of them another name or id"
                ),
            )
        for key, url in (*(("url", url) for url in rig.urls), *(("nina_url", url) for url in rig.nina_urls)):
            first = addresses.setdefault((key, same_address(url)), index)
            if first != index:
                yield (
                    ("rigs", index, key),
                    (
                        f"{without_path(url)} is also an address of rigs[{first}] {rigs[first].name!r}; "
                        "expected each rig's own address"
                    ),
                )


def _topic_conflicts(base_topic: str, home_assistant: HomeAssistantConfig) -> Iterator[tuple[KeyPath, str]]:
    if home_assistant.discovery_prefix == base_topic:
        yield (
            ("mqtt", "base_topic"),
            (f"{base_topic!r} is also home_assistant.discovery_prefix; expected another topic, such as ts2mqtt"),
        )
    elif f"{home_assistant.status_topic}/".startswith(f"{base_topic}/"):
        yield (
            ("home_assistant", "status_topic"),
            (
                f"{home_assistant.status_topic!r} lies below mqtt.base_topic, which is ts2mqtt's own; "
                "expected the topic of Home Assistant's birth message, such as homeassistant/status"
            ),
        )
