"""TLS towards the broker, as the configuration wants it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from ts2mqtt.errors import BrokerError

if TYPE_CHECKING:
    from ts2mqtt.config import TlsConfig


def tls_context(tls: TlsConfig) -> ssl.SSLContext:
    """Raises BrokerError for files that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
        if tls.cert_file:
            context.load_cert_chain(str(tls.cert_file), str(tls.key_file) if tls.key_file else None)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"the TLS files cannot be used ({error})", "check mqtt.tls") from error
    context.sslsocket_class = _TlsSocket
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
