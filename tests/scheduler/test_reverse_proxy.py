"""The documented proxy in front of the API: a real nginx with the example's file, made as docs/security.md says."""

from __future__ import annotations

import json
import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.bridge.test_bridge import all_published
from tests.bridge.test_process import started
from tests.check.test_check_command import run
from tests.conftest import need
from tests.support.certificates import openssl_is_installed
from tests.support.markdown import blocks
from tests.support.mosquitto import free_port
from tests.support.nginx import Nginx, nginx_is_installed
from tests.support.observer import observing
from tests.support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.simulator.api import SimulatedApi

SITE = ROOT / "docs" / "reverse-proxy" / "target-scheduler.nginx"
PASSWORD = "a long password"  # noqa: S105 - the documentation's


@dataclass(frozen=True)
class Proxy:
    url: str
    certificate: Path

    @property
    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, verify=ssl.create_default_context(cafile=str(self.certificate)), trust_env=False
        )

    def config(self, directory: Path, port: int, password: str = PASSWORD) -> Path:
        """As in the documentation, with a broker on this port."""
        (directory / "target-scheduler.crt").write_bytes(self.certificate.read_bytes())
        secret = directory / "rig-password.txt"
        secret.write_text(f"{password}\n")
        secret.chmod(0o600)
        path = directory / "config.yaml"
        path.write_text(
            f"mqtt: {{host: 127.0.0.1, port: {port}}}\n"
            f"rigs: [{{name: Backyard, url: '{self.url}', username: ts2mqtt, password_file: rig-password.txt, "
            "ca_file: target-scheduler.crt}]\n"
        )
        return path


def _moved(text: str, directory: Path, port: int, api: str) -> str:
    """What the documentation says, for this machine: other paths, another name, other ports."""
    for documented, here in (
        ("/etc/nginx", str(directory)),
        ("DNS:telescope.example.org", "IP:127.0.0.1"),
        ("telescope.example.org", "127.0.0.1"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("http://192.168.1.50:8188", api),
    ):
        text = text.replace(documented, here)
    return text


@pytest.fixture
async def proxy(example_api: SimulatedApi, tmp_path: Path) -> AsyncIterator[Proxy]:
    need("nginx", is_there=nginx_is_installed())
    need("openssl", is_there=openssl_is_installed())
    directory, port = tmp_path / "nginx", free_port()
    for part in ("sites-available", "sites-enabled"):
        (directory / part).mkdir(parents=True)
    (commands,) = (block for block in blocks(ROOT / "docs" / "security.md") if block.info == "sh reverse-proxy")
    *makes, reload = commands.text.splitlines()
    assert reload == "nginx -t && nginx -s reload"
    for command in makes:
        subprocess.run(_moved(command, directory, port, example_api.url), shell=True, cwd=ROOT, check=True)  # noqa: S602, ASYNC221 - our own documentation's
    site = directory / "sites-enabled" / "target-scheduler"
    site.write_text(_moved(site.read_text(), directory, port, example_api.url))
    assert example_api.url in site.read_text()
    async with Nginx(directory, site):
        yield Proxy(f"https://127.0.0.1:{port}", directory / "target-scheduler.crt")


async def test_the_bridge_and_the_check_work_through_it(
    proxy: Proxy, mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    config = proxy.config(tmp_path, mosquitto.port)
    code, out, err = await run(config)
    assert (code, err) == (0, ""), out
    assert "✖" not in out
    async with observing(mosquitto.port) as observer, started("run", config):
        await all_published(observer)
        assert observer.json("ts2mqtt/bridge")["rigs"][0]["url"] == proxy.url
    headers = [{name.lower() for name in request.request.headers} for request in example_api.requests]
    assert headers
    assert not any("authorization" in names for names in headers)


async def test_a_wrong_password_is_told_by_the_check(proxy: Proxy, mosquitto: Mosquitto, tmp_path: Path) -> None:
    code, out, _ = await run(proxy.config(tmp_path, mosquitto.port, "guessed"), "--json")
    (fault,) = (finding for finding in json.loads(out) if finding["ok"] is False)
    assert code == 1
    assert "401" in fault["message"]
    assert "password" in fault["advice"]


async def test_nothing_gets_through_without_the_password(proxy: Proxy, example_api: SimulatedApi) -> None:
    async with proxy.client as client:
        assert (await client.get("/ts/v0/version")).status_code == 401
        assert (await client.get("/ts/v0/version", auth=("ts2mqtt", "guessed"))).status_code == 401
        assert (await client.get("/", auth=("ts2mqtt", PASSWORD))).status_code == 404
    assert example_api.requests == []


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_it_lets_nobody_do_more_than_read(proxy: Proxy, example_api: SimulatedApi, method: str) -> None:
    async with proxy.client as client:
        answer = await client.request(method, "/ts/v0/version", auth=("ts2mqtt", PASSWORD))
    assert answer.status_code == 405
    assert example_api.requests == []


async def test_a_browser_cannot_end_the_api_with_its_codings(proxy: Proxy, example_api: SimulatedApi) -> None:
    async with proxy.client as client:
        answer = await client.get(
            "/ts/v0/version", auth=("ts2mqtt", PASSWORD), headers={"Accept-Encoding": "br, zstd"}
        )
    assert answer.json() == "5.9.3.0"
    (request,) = example_api.requests
    assert {value for name, value in request.request.headers.items() if name.lower() == "accept-encoding"} == {
        "identity"
    }
