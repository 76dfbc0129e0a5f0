"""Understands addresses as users type or paste them, and says where a Target Scheduler may answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

from ts2mqtt.config import without_api_path
from ts2mqtt.scheduler.ports import ADVANCED_API_PORT, API_PORT

API_PORTS = tuple(range(API_PORT, API_PORT + 4))
"""The plugin's default, and those that users give to further N.I.N.A.s on the same PC."""

ADVANCED_API_PORTS = (ADVANCED_API_PORT, ADVANCED_API_PORT + 1)
"""Where the port is taken, as by a second N.I.N.A., the plugin takes the next one."""

_TLS_PORT = 8883
_TLS_SCHEMES = ("mqtts", "ssl", "tls", "wss")


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The parts of what the user typed; `port` is None where none was typed."""

    host: str
    port: int | None = None
    is_tls: bool = False


def broker_address(text: str) -> BrokerAddress:
    """Understands a name, an address, `host:1883` and `mqtts://user@host:8883/`; the user is asked for later."""
    scheme, _, rest = text.strip().rpartition("://")
    rest = rest.split("/", 1)[0].rpartition("@")[2]
    host, port = _host_and_port(rest)
    return BrokerAddress(host, port, scheme.lower() in _TLS_SCHEMES or port == _TLS_PORT)


def api_addresses(text: str) -> tuple[str, ...]:
    """The URLs at which the Target Scheduler may answer, the likeliest first; `text` may name several addresses."""
    urls = (url for part in re.split(r"[\s,;]+", text.strip()) if part for url in _urls_of(part))
    return tuple(dict.fromkeys(urls))


def advanced_api_addresses(url: str, ports: tuple[int, ...]) -> tuple[str, ...]:
    """Where N.I.N.A.'s other plugin may answer, on the PC of this URL; nowhere if the URL is that of a proxy."""
    scheme, _, address = url.partition("://")
    host, port = _host_and_port(address)
    if scheme != "http" or "/" in address or port is None:
        return ()
    shown = f"[{host}]" if ":" in host else host
    return tuple(f"http://{shown}:{one}" for one in ports)


def _urls_of(part: str) -> tuple[str, ...]:
    if "://" in part:
        return _urls_of_url(without_api_path(part).rstrip("/"))
    address, _, path = without_api_path(f"http://{part}").removeprefix("http://").partition("/")
    host, port = _host_and_port(address)
    shown = f"[{host}]" if ":" in host else host
    if path:
        return (f"http://{address}/{path}", f"https://{address}/{path}")
    if port is None:
        return (*_usual(shown), f"https://{shown}", f"http://{shown}")
    typed = (f"http://{shown}:{port}", f"https://{shown}:{port}")
    return (*typed, *_usual(shown)) if port == ADVANCED_API_PORT else typed


def _urls_of_url(url: str) -> tuple[str, ...]:
    scheme, _, address = url.partition("://")
    host, port = _host_and_port(address)
    shown = f"[{host}]" if ":" in host else host
    if "/" in address or scheme.lower() != "http":
        return (url,)
    if port is None:
        return (*_usual(shown), url)
    return (url, *_usual(shown)) if port == ADVANCED_API_PORT else (url,)


def _usual(host: str) -> tuple[str, ...]:
    return tuple(f"http://{host}:{port}" for port in API_PORTS)


def _host_and_port(text: str) -> tuple[str, int | None]:
    """The port is None where there is none; a part that is no number stays in the host, whose check refuses it."""
    if bracketed := re.fullmatch(r"\[([^\]]*)\](?::([0-9]{1,5}))?", text):
        return bracketed[1], int(bracketed[2]) if bracketed[2] else None
    try:
        return str(IPv6Address(text)), None
    except ValueError:
        pass
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon and re.fullmatch("[0-9]{1,5}", port) else (text, None)
