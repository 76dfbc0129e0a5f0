"""compose.yaml, env.example and the package agree; `make test-container` really brings it up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.build import mqtt_config
from tests.support.project import ROOT
from ts2mqtt import cli
from ts2mqtt.bridge.sign_of_life import sign_paths
from ts2mqtt.config import load_config

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
VARIABLE = re.compile(r"\$\{(\w+)(?::?([-?])([^}]*))?\}")
# Home Assistant's own image is root's and writes everywhere.
HARDENED = sorted(SERVICES.keys() - {"home-assistant"})


def written() -> dict[str, str]:
    """What env.example sets."""
    lines = (ROOT / "env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled(text: str) -> str:
    """With the variables of env.example, as compose does it."""
    return VARIABLE.sub(lambda found: written().get(found[1]) or (found[3] if found[2] == "-" else ""), text)


def test_one_env_file_is_enough() -> None:
    used = {name: mark for name, mark, _ in VARIABLE.findall(TEXT)}
    # Docker compose's own.
    own = {"COMPOSE_PROFILES"}
    assert written().keys() - own <= used.keys(), "set and never used"
    without_default = {name for name, mark in used.items() if mark != "-"}
    assert without_default <= {name for name, value in written().items() if value}


@pytest.mark.parametrize("rig", ["http://simulator:8188", "http://192.168.1.50:8188"])
def test_the_bridge_takes_what_compose_gives_it(rig: str) -> None:
    environment = {name: filled(value) for name, value in SERVICES["bridge"]["environment"].items()}
    config = load_config(None, environment | {"TS2MQTT_RIG_URL": rig}).config
    assert config.mqtt.host in SERVICES
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == written()["MQTT_PASSWORD"]


def test_several_rigs_come_from_the_mounted_file(tmp_path: Path) -> None:
    """With RIG_URL and RIG_NAME left empty in .env."""
    environment = {name: filled(value) for name, value in SERVICES["bridge"]["environment"].items()}
    file = tmp_path / "config.yaml"
    file.write_text("rigs: [{name: A, url: 'http://a:8188'}, {name: B, url: 'http://b:8188'}]\n")
    loaded = load_config(file, environment | {"TS2MQTT_RIG_URL": "", "TS2MQTT_RIG_NAME": ""})
    assert [rig.name for rig in loaded.config.rigs] == ["A", "B"]


def test_the_example_shows_the_simulated_observatory() -> None:
    service = SERVICES["simulator"]
    assert written()["COMPOSE_PROFILES"] in service["profiles"]
    options = cli.parser().parse_args([filled(word) for word in service["command"]])
    assert written()["RIG_URL"] == f"http://simulator:{options.port}"
    # Home Assistant's clock is this machine's: an observatory of another pace would tell it times of other months.
    assert options.speed == 1
    # Else the bridge's container could not reach it.
    assert options.host == "0.0.0.0"  # noqa: S104
    assert f":{options.port}/" in service["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", HARDENED)
def test_a_service_has_what_it_needs_and_no_more(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_comes_back_and_its_log_stays_small(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_bridge_has_a_place_for_its_sign_of_life() -> None:
    (folder, *_) = sign_paths(mqtt_config(1883), {})
    assert [place.split(":")[0] for place in SERVICES["bridge"]["tmpfs"]] == [str(folder.parent)]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_for_the_health_of_what_it_needs(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] == "service_healthy"
        # The bridge's is that of its image.
        assert "healthcheck" in SERVICES[other]
