"""Home Assistant's frontend in a headless Chromium, as a person who is logged in sees it."""

from __future__ import annotations

import json
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page, Route, WebSocketRoute

    from tests.home_assistant.hass import HomeAssistant

PHONE, TABLET = (412, 915), (1280, 800)
_PATIENCE_MS = 60_000
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    # Map tiles and brand logos would come from outside.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_IN_EVERY_SHADOW = """
    const found = [];
    const walk = node => {
        visit(node, found);
        if (node.shadowRoot) node.shadowRoot.childNodes.forEach(walk);
        node.childNodes.forEach(walk);
    };
    walk(document.body);
    return found;
"""


def chromium() -> str | None:
    return shutil.which("chromium")


@asynccontextmanager
async def page(
    hass: HomeAssistant, address: str, size: tuple[int, int], *, dark: bool = False
) -> AsyncIterator[Page]:
    """A page of Home Assistant, loaded; requests to anything else are aborted."""
    tokens = {
        "hassUrl": hass.url,
        "clientId": f"{hass.url}/",
        "token_type": "Bearer",
        "access_token": hass.token,
        "refresh_token": "",
        "expires_in": 10**9,
        "expires": 10**13,
    }

    async def guard(route: Route) -> None:
        if route.request.url.startswith((hass.url, "data:", "blob:")):
            await route.continue_()
        else:
            await route.abort()

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), chromium_sandbox=False, args=list(_ARGUMENTS)
        )
        try:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                service_workers="block",
                locale="en-GB",
                timezone_id="UTC",
            )
            await context.add_init_script(f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))});")
            await context.route("**/*", guard)
            await context.route_web_socket("**/api/websocket", without_action_descriptions)
            shown = await context.new_page()
            await shown.goto(hass.url + address, timeout=_PATIENCE_MS)
            yield shown
        finally:
            await browser.close()


def without_action_descriptions(socket: WebSocketRoute) -> None:
    """Answers the question for them, without which no page opens.

    To describe its actions Home Assistant imports what listens to voices, which needs libraries without wheels.
    """
    server = socket.connect_to_server()

    def pass_on(text: str | bytes) -> None:
        told = json.loads(text)
        asked = told if isinstance(told, list) else [told]
        for message in asked:
            if message.get("type") == "get_services":
                socket.send(json.dumps({"id": message["id"], "type": "result", "success": True, "result": {}}))
        if rest := [message for message in asked if message.get("type") != "get_services"]:
            server.send(json.dumps(rest if isinstance(told, list) else rest[0]))

    socket.on_message(pass_on)


async def text_of(shown: Page) -> str:
    """All that stands on the page, with what is folded away."""
    visit = """const visit = (node, found) => {
        const hidden = ['STYLE', 'SCRIPT', 'TEMPLATE'].includes(node.parentNode?.nodeName);
        if (node.nodeType === 3 && !hidden && node.textContent.trim()) found.push(node.textContent.trim());
    };"""
    lines: list[str] = await shown.evaluate(f"() => {{ {visit} {_IN_EVERY_SHADOW} }}")
    return "\n".join(lines)


async def elements_of(shown: Page) -> list[str]:
    """The names of all elements on the page."""
    visit = "const visit = (node, found) => { if (node.nodeType === 1) found.push(node.localName); };"
    names: list[str] = await shown.evaluate(f"() => {{ {visit} {_IN_EVERY_SHADOW} }}")
    return names


async def pictures_of(shown: Page) -> dict[str, int]:
    """The width in pixels of each picture, by its alternative text; 0: it could not be loaded."""
    visit = """const visit = (node, found) => {
        if (node.localName === 'img' && node.alt) found.push([node.alt, node.naturalWidth]);
    };"""
    pictures: list[tuple[str, int]] = await shown.evaluate(f"() => {{ {visit} {_IN_EVERY_SHADOW} }}")
    return dict(pictures)
