"""A dashboard's page as a person sees it, in a headless Chromium that can reach this machine alone."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from playwright.async_api import ConsoleMessage, Page, Route

PHONE, TABLET = (412, 915), (1280, 800)
_PATIENCE_MS = 40_000


def chromium_is_installed() -> bool:
    return shutil.which("chromium") is not None


@dataclass
class Seen:
    """The page, and what it should not have done."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@asynccontextmanager
async def looking_at(url: str, size: tuple[int, int], now: datetime | None = None) -> AsyncIterator[Seen]:
    """`now` is what the page believes the time to be."""
    async with async_playwright() as playwright:
        # Root may not have a sandbox, nor a container enough shared memory.
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.set_default_timeout(_PATIENCE_MS)
        seen = Seen(page)

        async def only_here(route: Route) -> None:
            if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
                await route.continue_()
            else:
                seen.elsewhere.append(route.request.url)
                await route.abort()

        def complain(message: ConsoleMessage) -> None:
            if message.type == "error":
                seen.complaints.append(message.text)

        await page.route("**/*", only_here)
        page.on("console", complain)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        if now:
            await page.clock.set_fixed_time(now)
        await page.goto(url)
        yield seen
        await browser.close()
