"""The way to a peer: its name, the TCP connection, TLS; each fault with its likely cause."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ts2mqtt.check.findings import Cause
from ts2mqtt.check.steps import StepFailedError, failed_step
from ts2mqtt.config import DEFAULT_PORTS
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.logs.certificates import untrusted_certificate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MOST_ADDRESSES = 4
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL)


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to reach, how long to wait, and what to tell the user where that fails."""

    host: str
    port: int
    if_refused: str
    if_silent: str
    ca_key: str
    """The key of the configuration that names the authority of its certificate."""

    patience_s: float
    """How long to wait for its name, for a connection, for a handshake."""

    def __str__(self) -> str:
        return address_text(self.host, self.port)

    @property
    def is_this_machine(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.rstrip(".").lower() == "localhost"


def port_of(url: str) -> int:
    """The port of an http or https URL."""
    parts = urlsplit(url)
    return parts.port or DEFAULT_PORTS[parts.scheme]


def rig_peer(url: str, *, if_refused: str, ca_key: str, patience_s: float) -> Peer:
    """The computer of a rig, at an http or https URL."""
    port = port_of(url)
    return Peer(
        host=urlsplit(url).hostname or "",
        port=port,
        if_refused=if_refused,
        if_silent="The computer is off or asleep, it has another address now, or its Windows firewall drops the "
        f"connection: allow incoming TCP on port {port} there.",
        ca_key=ca_key,
        patience_s=patience_s,
    )


def address_text(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def look_up(peer: Peer) -> tuple[str, ...]:
    """The addresses that the host's name stands for."""
    try:
        async with asyncio.timeout(peer.patience_s):
            entries = await asyncio.get_running_loop().getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise StepFailedError(
            f"no answer to the question for the address of '{peer.host}'",
            "The name server does not answer this machine; check its network, or write the address in numbers.",
        ) from error
    except (OSError, UnicodeError) as error:
        raise StepFailedError(
            f"the name '{peer.host}' has no address ({_reason(error)})",
            "Check the spelling, or write the address in numbers, such as 192.168.1.50. A name that other computers "
            "know, above all one that ends in .local, may be unknown in a container.",
        ) from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))[:_MOST_ADDRESSES]


def looked_up_text(peer: Peer, addresses: tuple[str, ...]) -> str:
    if addresses == (peer.host,):
        return f"{peer.host} is an address already"
    return f"{peer.host} is {', '.join(addresses)}"


async def reach(peer: Peer, addresses: tuple[str, ...]) -> str:
    """The first of the addresses that takes a TCP connection."""
    failures: list[OSError] = []
    for address in addresses:
        try:
            async with connection(peer, address, None):
                return address
        except OSError as error:
            failures.append(error)
    # Of several addresses, one that refuses tells more than one that does not answer.
    failures.sort(key=lambda error: (not isinstance(error, ConnectionRefusedError), isinstance(error, TimeoutError)))
    raise _not_reached(peer, failures[0]) from failures[0]


async def shake_hands(peer: Peer, address: str, context: ssl.SSLContext) -> str:
    """The version of TLS that was agreed on, once the peer's certificate has been trusted."""
    try:
        async with connection(peer, address, context) as (_, writer):
            tls = writer.get_extra_info("ssl_object")
            return str(tls.version())
    except OSError as error:
        raise tls_failure(peer, error) from error


async def speaks_tls(peer: Peer, address: str) -> bool:
    """Whether the port expects TLS; no certificate is looked at, and nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with suppress(OSError):
        async with connection(peer, address, context):
            return True
    return False


@asynccontextmanager
async def connection(
    peer: Peer, address: str, context: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection for as long as the block lasts, over TLS where there is a context; any OSError as it comes."""
    async with asyncio.timeout(peer.patience_s):
        reader, writer = await asyncio.open_connection(
            address, peer.port, ssl=context, server_hostname=peer.host if context else None
        )
    try:
        yield reader, writer
    finally:
        # An error while closing tells nothing more about the peer.
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def tls_failure(peer: Peer, error: OSError) -> StepFailedError:
    """Why the handshake failed, as far as the error tells."""
    if isinstance(error, ssl.SSLCertVerificationError):
        untrusted = Ts2mqttError(*untrusted_certificate(str(peer), peer.host, peer.ca_key, error))
        return failed_step(untrusted, Cause.UNTRUSTED_CERTIFICATE)
    if isinstance(error, TimeoutError):
        return StepFailedError(
            f"{peer} takes the connection and does not answer the TLS handshake",
            "Another program, or a server without TLS, may own this port; check the port.",
        )
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return StepFailedError(
            f"{peer} does not speak TLS", "Turn TLS off for it (http:// in a URL), or write the port with TLS."
        )
    return StepFailedError(
        f"the TLS handshake with {peer} fails ({_reason(error)})",
        "It may not speak TLS on this port, want a client certificate, or know only versions of TLS that are too "
        "old; its own log tells.",
    )


def _not_reached(peer: Peer, error: OSError) -> StepFailedError:
    if_local = (
        f" In a container, '{peer.host}' is the container itself: write the address of the computer."
        if peer.is_this_machine
        else ""
    )
    if isinstance(error, ConnectionRefusedError):
        return StepFailedError(f"{peer} refuses the connection", peer.if_refused + if_local)
    if isinstance(error, TimeoutError):
        return StepFailedError(f"{peer} does not answer within {peer.patience_s:g} s", peer.if_silent + if_local)
    if error.errno in _UNREACHABLE:
        return StepFailedError(
            f"there is no way to {peer} ({_reason(error)})",
            "It is off, or its address lies in a network that this machine has no way to; check the address, and "
            "the network of the container or VPN if there is one.",
        )
    return StepFailedError(f"{peer} cannot be reached ({_reason(error)})", "Check the address and the port.")


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return str(error.reason).replace("_", " ").lower()
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
