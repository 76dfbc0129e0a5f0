"""The types of the settings' values: how each is read from text, and the error message if that fails."""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ts2mqtt.config.durations import DURATION_PATTERN, format_duration, parse_duration
from ts2mqtt.config.words import LOG_LEVELS, PROTOCOLS, LogLevelWord, ProtocolWord
from ts2mqtt.observatory.ids import RESERVED_IN_RIG_IDS, RESERVED_RIG_IDS, RIG_ID_PATTERN
from ts2mqtt.observatory.model import PROJECT_STATES

Seconds: TypeAlias = float
"""A duration in seconds."""

EXPECTED = "expected"
"""Type of an error with a message that says what is allowed; the value that was found is added later."""
CONFLICT = "conflict"
"""Type of an error with a complete message."""
DEFAULT_NOT_MADE = "default_factory_not_called"
"""Pydantic's type of an error that only follows from another one: the default depends on the key that is wrong."""


def expected(what: str) -> PydanticCustomError:
    return PydanticCustomError(EXPECTED, "expected {what}", {"what": what})


def conflict(text: str) -> PydanticCustomError:
    return PydanticCustomError(CONFLICT, "{text}", {"text": text})


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _else_expected(what: str) -> WrapValidator:
    """Replaces pydantic's own messages by `what`; an error of this module from further inside stays."""

    def explain(value: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(value)
        except ValidationError as error:
            if any(fault["type"] in {EXPECTED, CONFLICT} for fault in error.errors(include_url=False)):
                raise
            raise expected(what) from None

    return WrapValidator(explain)


def _one_of(*allowed: str) -> BeforeValidator:
    """Accepts one of these words, in any capitals; a number counts as its text."""
    canonical = {word.casefold(): word for word in allowed}

    def choose(value: object) -> str:
        text = str(value).strip().casefold()
        if text in canonical:
            return canonical[text]
        near = get_close_matches(text, canonical, 1) if isinstance(value, str) else []
        hint = f" (did you mean {canonical[near[0]]}?)" if near else ""
        raise expected(_or(allowed) + hint)

    return BeforeValidator(choose)


@dataclass(frozen=True)
class Duration:
    """Marks a float of seconds that is written as a duration, with the bounds it must keep."""

    shortest: Seconds
    longest: Seconds

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {
            "anyOf": [
                {"type": "string", "pattern": DURATION_PATTERN},
                {"type": "number", "minimum": self.shortest, "maximum": self.longest},
            ]
        }

    def _read(self, value: object) -> Seconds:
        try:
            seconds = parse_duration(str(value))
        except ValueError:
            raise expected("a duration such as 30s, 10m or 6h") from None
        if not self.shortest <= seconds <= self.longest:
            raise expected(f"a duration from {format_duration(self.shortest)} to {format_duration(self.longest)}")
        return seconds


@dataclass(frozen=True)
class _Text:
    """Marks a text that must match a pattern; white space around it is dropped."""

    what: str
    pattern: str

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"type": "string", "pattern": f"^{self.pattern}$"}

    def _read(self, value: object) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not re.fullmatch(self.pattern, text):
            raise expected(self.what)
        return text


# Control characters, and halves of UTF-16 pairs (Python makes those from variables that it cannot decode).
_UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"

Flag = Annotated[bool, _else_expected("true or false")]
Port = Annotated[int, Field(ge=1, le=65535), _else_expected("a whole number from 1 to 65535")]
Throttle = Annotated[
    int, Field(ge=1, le=1000), _else_expected("a whole number of percent from 1 to 1000, such as 125")
]


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no time zone") from error
    return name


TimeZone = Annotated[
    str, AfterValidator(_time_zone), _else_expected("the name of a time zone, such as Europe/Berlin")
]
Concurrency = Annotated[int, Field(ge=1, le=16), _else_expected("a whole number from 1 to 16")]
Latitude = Annotated[
    float,
    Field(ge=-90, le=90, allow_inf_nan=False),
    _else_expected("degrees from -90 to 90, north of the equator positive, such as 47.37"),
]
Longitude = Annotated[
    float,
    Field(ge=-180, le=180, allow_inf_nan=False),
    _else_expected("degrees from -180 to 180, east of Greenwich positive, such as -105.52"),
]
TopicLevels = Annotated[
    str,
    _Text(
        "one or more levels of letters, digits, _ and -, separated by /",
        r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*",
    ),
]
Topic = Annotated[
    str,
    _Text(
        "a topic without + and #, such as homeassistant/status",
        rf"[^$+#{_UNPRINTABLE}][^+#{_UNPRINTABLE}]{{0,254}}",
    ),
]
Name = Annotated[str, _Text("a text of at most 100 characters in one line", rf"[^{_UNPRINTABLE}]{{1,100}}")]
Username = Annotated[str, _Text("a user name", rf"[^{_UNPRINTABLE}]{{1,255}}")]
ClientId = Annotated[
    str,
    _Text(
        "a text of at most 128 characters that no other client of the broker uses",
        rf"[^{_UNPRINTABLE}]{{1,128}}",
    ),
]
WebsocketPath = Annotated[str, _Text("a path that begins with /, such as /mqtt", rf"/[^\s#{_UNPRINTABLE}]*")]
ApiVersion = Annotated[str, _Text("v0, the version in the API's address", r"v[0-9]{1,3}")]
MOST_PASSWORD_BYTES = 65_535
"""MQTT has two bytes for the length of a password [MQTT-1.5.3]; nobody needs a longer one for HTTP."""


def _password(value: SecretStr) -> SecretStr:
    try:
        size = len(value.get_secret_value().encode())
    except UnicodeEncodeError:
        raise expected("UTF-8 text") from None
    if size > MOST_PASSWORD_BYTES:
        raise expected(f"at most {MOST_PASSWORD_BYTES:,} bytes")
    return value


Password = Annotated[
    SecretStr, Field(min_length=1), AfterValidator(_password), _else_expected("a text; put it in quotes")
]

Protocol = Annotated[
    ProtocolWord,
    _one_of(*PROTOCOLS),
    # YAML reads an unquoted 5.0 as a number, and an environment variable may spell it so.
    BeforeValidator(lambda value: "5" if str(value).strip() == "5.0" else value),
    WithJsonSchema({"enum": [*PROTOCOLS, 5]}),
]
Transport = Annotated[Literal["tcp", "websockets"], _one_of("tcp", "websockets")]
PlanMode = Annotated[Literal["auto", "manual", "off"], _one_of("auto", "manual", "off")]
Language = Annotated[Literal["en", "de"], _one_of("en", "de")]
LogLevel = Annotated[LogLevelWord, _one_of(*LOG_LEVELS)]
LogFormat = Annotated[Literal["text", "json"], _one_of("text", "json")]


def _qos(value: object) -> object:
    text = str(value).strip()
    if text == "2":
        raise expected(
            "0 or 1: every state is retained and sent whole, so 2 would only cost two more packets a message"
        )
    if text not in {"0", "1"}:
        raise expected("0 or 1")
    return int(text)


Qos = Annotated[Literal[0, 1], BeforeValidator(_qos)]


def _file_name(value: object) -> object:
    if not isinstance(value, str | Path) or not str(value).strip():
        raise expected("the path of a file")
    return value


FileName = Annotated[Path, BeforeValidator(_file_name)]


def _host(value: str) -> str:
    """A name or an address; the error names the right key for everything else."""
    host = value.strip()
    if "//" in host:
        raise expected(
            "the name or address alone, without mqtt:// before it; port, user and password have keys of their own"
        )
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    if _is_no_ipv4(host):
        raise expected(_IPV4_TEXT)
    if re.fullmatch(r"[^:/]+:[0-9]+", host):
        raise expected("the name or address alone; the port has its own key, mqtt.port")
    if not re.fullmatch(r"\w(?:[\w.-]{0,252}\w)?\.?", host):
        raise expected(_HOST_TEXT)
    return host


_IPV4_TEXT = "an address of four numbers from 0 to 255, such as 192.168.1.10"


def _is_no_ipv4(host: str) -> bool:
    """Whether it can only be meant as such an address, but has another number of numbers, or too large ones."""
    if not re.fullmatch(r"[0-9]+(?:\.[0-9]+)+", host):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


_HOST_TEXT = "the name or address of the MQTT broker, such as 192.168.1.10"
Host = Annotated[str, AfterValidator(_host), _else_expected(_HOST_TEXT)]


def _split_at_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return value


# As N.I.N.A. shows them.
_PROJECT_STATES = tuple(state.capitalize() for state in PROJECT_STATES)
_ProjectState = Annotated[
    str, _one_of(*_PROJECT_STATES), WithJsonSchema({"enum": list(_PROJECT_STATES), "type": "string"})
]


def _in_order_of_life_cycle(states: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(states), key=_PROJECT_STATES.index))


ProjectStates = Annotated[
    tuple[_ProjectState, ...],
    BeforeValidator(_split_at_commas),
    AfterValidator(_in_order_of_life_cycle),
    _else_expected(f"a list of {_or(_PROJECT_STATES)}"),
]

_URL_TEXT = "the address of the API, such as http://192.168.1.50:8188"


_NINA_URL_TEXT = "the address of N.I.N.A.'s Advanced API, such as http://192.168.1.50:1888"


def _url(value: str) -> str:
    """The API's address, without a slash at its end."""
    parts = _web_address(without_api_path(value.strip()), _URL_TEXT)
    if "@" in parts.netloc:
        raise expected("an address without user and password; username and password are keys of their own")
    return parts.geturl()


def _nina_url(value: str) -> str:
    """The Advanced API's address, without a slash at its end."""
    parts = _web_address(value, _NINA_URL_TEXT)
    if "@" in parts.netloc:
        raise expected("an address without user and password; the Advanced API has none")
    if re.search(r"/v[0-9]+(?:/(?:api|socket))?$", parts.path):
        raise expected("the address without /v2/api and /v2/socket, which ts2mqtt adds itself")
    return parts.geturl()


def _web_address(value: str, text: str) -> SplitResult:
    """The parts of an http(s) address, without a slash at its end; `text` says what is expected."""
    url = value.strip().rstrip("/")
    if url and "://" not in value:
        raise expected(f"{text}; http:// is missing")
    if re.match(r"https?://[^/\[\]@]*:[^/\[\]@]*:", url):
        raise expected("an IPv6 address in brackets, such as http://[fe80::1]:8188")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise expected(text) from None
    if parts.scheme not in {"http", "https"}:
        raise expected("an address that begins with http:// or https://")
    if _is_no_ipv4(parts.hostname or ""):
        raise expected(_IPV4_TEXT)
    if not parts.hostname or port == 0 or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise expected(text)
    if parts.query or parts.fragment:
        raise expected("an address without ? and #")
    return parts


_API_PATH = re.compile(r"(\w+://[^/?#]+(?:/[^?#]*?)?)/(?:ts(?:/v[0-9]+(?:/.*)?)?|swagger.*|openapi.*)/?", re.DOTALL)


def without_api_path(url: str) -> str:
    """The address without what a browser shows behind it: `/ts/v0/profiles`, `/swagger`; ts2mqtt adds its own."""
    pasted = _API_PATH.fullmatch(url)
    return pasted[1] if pasted else url


def without_path(url: str) -> str:
    """The address as it may be shown and published: a path may be a secret, such as a token for a proxy."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


DEFAULT_PORTS = {"http": 80, "https": 443}


def same_address(url: str) -> str:
    """The address in one spelling, to compare addresses."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path}"


def _at_least_one(urls: tuple[str, ...]) -> tuple[str, ...]:
    if not urls:
        raise expected(f"{_URL_TEXT}, or a list of such addresses")
    return urls


def _no_address_twice(urls: tuple[str, ...]) -> tuple[str, ...]:
    if len({same_address(url) for url in urls}) < len(urls):
        raise conflict("the same address stands twice; expected each once")
    return urls


_ONE_OR_MORE_ADDRESSES = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": "^https?://"},
            {"type": "array", "items": {"type": "string", "pattern": "^https?://"}, "minItems": 1},
        ]
    }
)
Urls = Annotated[
    tuple[Annotated[str, AfterValidator(_url), _else_expected(_URL_TEXT)], ...],
    BeforeValidator(_split_at_commas),
    AfterValidator(_at_least_one),
    AfterValidator(_no_address_twice),
    _else_expected(f"{_URL_TEXT}, or a list of such addresses"),
    _ONE_OR_MORE_ADDRESSES,
]
NinaUrls = Annotated[
    tuple[Annotated[str, AfterValidator(_nina_url), _else_expected(_NINA_URL_TEXT)], ...],
    BeforeValidator(_split_at_commas),
    AfterValidator(_no_address_twice),
    _else_expected(f"{_NINA_URL_TEXT}, or a list of such addresses"),
    _ONE_OR_MORE_ADDRESSES,
]

# The HTTP client sets these itself. A coding that the plugin's web server does not know ends the API.
_HEADERS_OF_THE_CLIENT = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding"})


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise conflict(f"{name!r} is no name of a header; expected letters, digits and -")
    if name.lower() in _HEADERS_OF_THE_CLIENT:
        raise conflict(f"{name} cannot be set; ts2mqtt sets it itself")
    return name


def _header_value(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", value.get_secret_value()):
        raise expected("one line of plain ASCII text")
    return value


Headers = Annotated[
    Mapping[
        Annotated[str, AfterValidator(_header_name)],
        Annotated[SecretStr, AfterValidator(_header_value), _else_expected("one line of plain ASCII text")],
    ],
    _else_expected('header names with their values, such as Authorization: "Bearer …"'),
]


def slug(name: str) -> str:
    """Lower-case ASCII letters and digits, everything else collapsed to single underscores; may be empty."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", ascii_name)[:64].strip("_")


def _rig_id(value: str) -> str:
    """Check the id; the messages contain it, because an id that comes from the rig's name is written nowhere."""
    if not value:
        raise conflict(
            "the rig's name has no letter or digit to make an id from; "
            "give the rig an id of a-z, 0-9, _ and -, such as rig1"
        )
    if not re.fullmatch(RIG_ID_PATTERN, value):
        hint = f", such as {slug(value)}" if slug(value) else ""
        raise expected(f"1 to 64 of a-z, 0-9, _ and -{hint}")
    if value in RESERVED_RIG_IDS:
        raise conflict(f"the id {value!r} is taken by a topic of the bridge itself; give the rig another id")
    for part in RESERVED_IN_RIG_IDS:
        if part in value:
            raise conflict(
                f"the id {value!r} contains {part!r}, which joins ids in Home Assistant; "
                f"give the rig another id, such as {value.replace('_', '-')}"
            )
    return value


RigId = Annotated[
    str,
    AfterValidator(_rig_id),
    _else_expected("1 to 64 of a-z, 0-9, _ and -"),
    WithJsonSchema({"type": "string", "pattern": f"^{RIG_ID_PATTERN}$"}),
]
