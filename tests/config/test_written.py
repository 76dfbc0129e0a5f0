"""What setup writes is read back as it was meant, whatever characters it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from ts2mqtt.config import MqttConfig, RigConfig, TlsConfig, config_text, load_config
from ts2mqtt.config.written import quoted

if TYPE_CHECKING:
    from pathlib import Path

RIG = RigConfig(url=("http://pc:8188",), name="Backyard", id="backyard")


def read_back(tmp_path: Path, mqtt: MqttConfig, *rigs: RigConfig) -> tuple[MqttConfig, tuple[RigConfig, ...]]:
    path = tmp_path / "config.yaml"
    path.write_text(config_text(mqtt, rigs), encoding="utf-8")
    path.chmod(0o600)
    loaded = load_config(path, {})
    assert loaded.warnings == ()
    return loaded.config.mqtt, loaded.config.rigs


@pytest.mark.parametrize(
    "password",
    [
        "geheim #1",
        "#",
        ": - ?",
        "'\"\\",
        "yes",
        "0123",
        "~",
        "!secret x",
        "&a *b",
        "%d {x} [y] `z` | >",
        "  spaces  ",
        "ümläut ✓ 🔭",
        "a\tb\x7f\x85\xa0\u2028\ufeff\x01",
        "".join(map(chr, range(1, 0x180))),
    ],
)
def test_a_password_is_read_back(password: str, tmp_path: Path) -> None:
    mqtt = MqttConfig(host="broker", username="u", password=SecretStr(password))
    read, _ = read_back(tmp_path, mqtt, RIG)
    assert read == mqtt
    assert read.password
    assert read.password.get_secret_value() == password


def test_a_character_beyond_the_first_plane_that_cannot_be_printed() -> None:
    assert quoted("\U000e0001 \ue000 \x1b") == r'"\U000e0001 \ue000 \x1b"'


def test_everything_that_can_be_answered(tmp_path: Path) -> None:
    mqtt = MqttConfig(
        host="::1", port=1884, username="u", tls=TlsConfig(enabled=True, ca_file=tmp_path / "the: authority.crt")
    )
    (tmp_path / "the: authority.crt").write_text("x")
    rigs = (
        RIG,
        RigConfig(
            url=("https://proxy/x", "http://pc:8189"), name='Tom\'s "rig": #2', username="a", password=SecretStr("b")
        ),
    )
    assert read_back(tmp_path, mqtt, *rigs) == (mqtt, rigs)


def test_the_whole_text() -> None:
    text = config_text(MqttConfig(host="broker", username="u", password=SecretStr("p")), (RIG,))
    assert (
        text
        == """\
# The configuration of ts2mqtt, written by `ts2mqtt setup`. There are more settings, all of them optional:
# config.yaml.example explains them. `ts2mqtt check` tries what stands here.

# The MQTT broker.
mqtt:
  host: "broker"
  # The login. Keep the quotes around the password.
  username: "u"
  password: "p"

# The rigs: each one N.I.N.A. whose Target Scheduler API is enabled.
rigs:
  - name: "Backyard"
    # A part of every topic and entity. Keep it when you change the name, else all entities are made anew.
    id: "backyard"
    # The address of the PC that runs N.I.N.A., and the port from the Target Scheduler's preferences.
    url: "http://pc:8188"
"""
    )
