"""Has a Home Assistant count the states that were written again as they were, of which its bus tells no client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.home_assistant.hass import HomeAssistant

CONFIGURATION = "state_reports:\n"

_MANIFEST = {"domain": "state_reports", "name": "State reports", "version": "1.0.0", "codeowners": []}
# The filter counts and lets nothing through: Home Assistant makes an event only of what passes.
_COMPONENT = """\
from homeassistant.components import websocket_api
from homeassistant.const import EVENT_STATE_REPORTED
from homeassistant.core import callback


async def async_setup(hass, config):
    count = 0

    @callback
    def counted(_data):
        nonlocal count
        count += 1
        return False

    @callback
    def never(_event):
        pass

    @websocket_api.websocket_command({"type": "state_reports"})
    @callback
    def told(_hass, connection, message):
        connection.send_result(message["id"], count)

    hass.bus.async_listen(EVENT_STATE_REPORTED, never, event_filter=counted)
    websocket_api.async_register_command(hass, told)
    return True
"""


def install(config: Path) -> None:
    """Into a configuration folder, to which CONFIGURATION has to be added."""
    folder = config / "custom_components" / "state_reports"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(_MANIFEST), encoding="utf-8")
    (folder / "__init__.py").write_text(_COMPONENT, encoding="utf-8")


async def count(hass: HomeAssistant) -> int:
    """How many since its start."""
    return int(await hass.command("state_reports"))
