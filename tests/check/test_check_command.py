"""`ts2mqtt check` as a user meets it: lines, JSON, exit codes; and how a finding looks."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.check.impatience import IMPATIENT
from tests.support.mosquitto import free_port
from ts2mqtt.check import CONFIG, Finding, as_json, as_text, check
from ts2mqtt.check.run import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.simulator.api import SimulatedApi

PASSWORD = "never-shown-9f3"  # noqa: S105 - the point is to look for it


def write_config(directory: Path, port: int, *urls: str, mode: int = 0o600) -> Path:
    rigs = "".join(f"  - {{name: Rig {number}, url: '{url}'}}\n" for number, url in enumerate(urls))
    path = directory / "config.yaml"
    path.write_text(f"mqtt: {{host: 127.0.0.1, port: {port}, username: u, password: {PASSWORD}}}\nrigs:\n{rigs}")
    path.chmod(mode)
    return path


async def run(path: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ts2mqtt", "check", "-c", str(path), *arguments),
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8", "PATH": "", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert PASSWORD.encode() not in out + err
    return process.returncode or 0, out.decode(), err.decode()


async def test_all_is_well(mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path) -> None:
    code, out, err = await run(write_config(tmp_path, mosquitto.port, example_api.url))

    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("✔")
    assert sum(line.startswith("✔") for line in lines) == 13
    assert sum(line.startswith("?") for line in lines) == 1
    assert "✖" not in out


async def test_every_rig_is_checked_and_told_in_order(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    code, out, _ = await run(
        write_config(tmp_path, mosquitto.port, closed, example_api.url), PYTHONIOENCODING="ascii"
    )

    assert code == 1
    assert out.isascii()
    heads = [line for line in out.splitlines() if line.startswith(("OK", "FAIL", "?"))]
    subjects = [line.split("s  ", 1)[1].split(":")[0] for line in heads]
    assert list(dict.fromkeys(subjects)) == ["config", "broker", "rig rig_0", "rig rig_1"]
    assert sum(line.startswith("FAIL") for line in heads) == 1


async def test_json_for_scripts(example_api: SimulatedApi, tmp_path: Path) -> None:
    path = write_config(tmp_path, free_port(), example_api.url, mode=0o644)
    code, out, _ = await run(path, "--json")

    findings: list[dict[str, Any]] = json.loads(out)
    assert code == 1
    assert {tuple(finding) for finding in findings} == {("step", "subject", "ok", "seconds", "message", "advice")}
    assert [finding["step"] for finding in findings[:4]] == ["read", "warning", "name", "TCP"]
    assert [finding["ok"] for finding in findings] == [True, None, True, False, *[True] * 5]


async def test_a_wrong_config(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mqtt: {hots: 127.0.0.1}\nrigs: []\n")

    code, out, _ = await run(path, "--json")
    findings = json.loads(out)
    assert code == 2
    assert {(finding["subject"], finding["ok"]) for finding in findings} == {("config", False)}
    assert any("host" in finding["message"] for finding in findings)

    code, out, _ = await run(path)
    assert (code, out.startswith("✖")) == (2, True)


async def test_a_config_from_the_environment_alone() -> None:
    findings: list[Finding] = []
    environment = {"TS2MQTT_MQTT__HOST": "broker.invalid", "TS2MQTT_RIG_URL": f"http://127.0.0.1:{free_port()}"}
    await check(None, environment, findings.append, timings=IMPATIENT)

    assert findings[0].message == "the environment alone, 1 rig"
    assert [finding.subject for finding in findings if finding.ok is False] == ["broker", "rig rig"]


async def test_a_wrong_config_ends_the_check(tmp_path: Path) -> None:
    findings: list[Finding] = []
    path = tmp_path / "config.yaml"
    path.write_text("mqtt: {hots: 127.0.0.1, port: 0}\nrigs: []\n")
    await check(path, {}, findings.append)

    assert {(finding.subject, finding.ok) for finding in findings} == {(CONFIG, False)}
    assert len(findings) > 1


async def test_a_warning_is_no_fault(tmp_path: Path) -> None:
    findings: list[Finding] = []
    path = write_config(tmp_path, free_port(), "http://rig.invalid", mode=0o644)
    await check(path, {}, findings.append, timings=IMPATIENT)

    assert (findings[1].step, findings[1].ok) == ("warning", None)
    assert "chmod 600" in findings[1].message


async def test_a_bug_in_one_check_ends_the_others() -> None:
    ended: list[str] = []

    async def endless(_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async def buggy(_: object) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run_checks((buggy, endless), lambda _: None)
    assert ended == ["endless"]


async def test_findings_are_told_check_by_check_whoever_is_first() -> None:
    quick_is_done = asyncio.Event()

    async def slow(tell: Callable[[Finding], None]) -> None:
        await quick_is_done.wait()
        tell(Finding("name", "slow", ok=True, seconds=0, message=""))

    async def quick(tell: Callable[[Finding], None]) -> None:
        tell(Finding("name", "quick", ok=True, seconds=0, message=""))
        quick_is_done.set()

    findings: list[Finding] = []
    await run_checks((slow, quick), findings.append)
    assert [finding.subject for finding in findings] == ["slow", "quick"]


class TestLooks:
    FINDING = Finding(
        "TCP", "rig backyard", ok=False, seconds=0.123, message="the way is long " * 8, advice="Go. " * 40
    )

    def test_nothing_is_wider_than_a_terminal(self) -> None:
        lines = as_text(self.FINDING, "utf-8").splitlines()

        assert max(map(len, lines)) <= 80
        assert lines[0].startswith("✖  0.12 s  rig backyard: TCP: the way")
        assert any(line.startswith("           -> Go.") for line in lines)
        assert all(line.startswith(" " * 11) for line in lines[1:])

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252", "no-such-encoding", None])
    def test_plain_signs_where_the_terminal_has_no_others(self, encoding: str | None) -> None:
        assert as_text(self.FINDING, "ascii" if encoding == "no-such-encoding" else encoding).startswith(
            "FAIL  0.12 s"
        )

    def test_names_that_the_terminal_cannot_write(self) -> None:
        finding = Finding("profiles", "rig a", ok=True, seconds=0, message="'馬頭'")
        assert as_text(finding, "ascii") == "OK    0.00 s  rig a: profiles: '\\u99ac\\u982d'"
        assert "馬頭" in as_text(finding, "utf-8")

    def test_json_is_plain_ascii(self) -> None:
        assert as_json([Finding("a", "b", ok=None, seconds=0, message="馬")]).isascii()
