"""How the certificate of a rig's addresses is verified, as its configuration says."""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ts2mqtt.config.models import RigConfig


def tls_of(url: str, rig: RigConfig) -> ssl.SSLContext | None:
    """For one of its addresses; None for what is not encrypted."""
    return tls_context(rig) if url.startswith("https:") else None


def tls_context(rig: RigConfig) -> ssl.SSLContext:
    """Verifies by the machine's certificates, or by `ca_file`, or not at all where the user said so."""
    return _tls_context(rig.ca_file, verify=rig.verify_tls)


# To read the machine's certificates takes 24 ms and 1 MB: rigs that trust the same ones share them.
@cache
def _tls_context(ca_file: Path | None, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
