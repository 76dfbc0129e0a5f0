"""Recognizes N.I.N.A.'s plugin Advanced API, which answers on a port that users take for the Target Scheduler's."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from ts2mqtt.check.network import address_text, connection

if TYPE_CHECKING:
    from ts2mqtt.check.network import Peer

_ANSWER_BYTES = 4096
"""The whole answer has about 300."""


async def is_advanced_api(peer: Peer, address: str) -> bool:
    """Whether it answers its own question for the version; False for everything else that may happen."""
    host = address_text(peer.host, peer.port)
    request = f"GET /v2/api/version HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answer = b""
    try:
        async with asyncio.timeout(peer.patience_s), connection(peer, address, None) as (reader, writer):
            writer.write(request.encode())
            while len(answer) < _ANSWER_BYTES and (piece := await reader.read(_ANSWER_BYTES)):
                answer += piece
                if re.search(rb'"Response"\s*:\s*"[0-9]+(\.[0-9]+)+"', answer):
                    return True
    except OSError:
        return False
    return False
