"""Passwords that no broker takes, and files that are none: told in words, and never read without an end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.windows import not_on_windows
from ts2mqtt.config import load_config
from ts2mqtt.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 65_535


def faults(**settings: str) -> tuple[str, ...]:
    """Of a configuration with these keys of `mqtt`."""
    variables = {f"TS2MQTT_MQTT__{key.upper()}": value for key, value in settings.items()}
    try:
        load_config(
            None,
            {
                "TS2MQTT_MQTT__HOST": "broker",
                "TS2MQTT_MQTT__USERNAME": "me",
                "TS2MQTT_RIG_URL": "http://rig:8188",
                **variables,
            },
        )
    except ConfigError as error:
        return error.faults
    return ()


class TestPasswords:
    @pytest.mark.parametrize(
        "password", ["p" * _MOST, "ü" * (_MOST // 2), "a:b: c # d"], ids=["ascii", "umlauts", "signs"]
    )
    def test_what_mqtt_can_carry_is_taken(self, password: str, tmp_path: Path) -> None:
        assert faults(password=password) == ()
        file = tmp_path / "password"
        file.write_text(password, encoding="utf-8")
        assert faults(password_file=str(file)) == ()

    @pytest.mark.parametrize("password", ["p" * 70_000, "ü" * (_MOST // 2 + 1)], ids=["ascii", "umlauts"])
    def test_a_longer_one_is_refused_and_not_shown(self, password: str, tmp_path: Path) -> None:
        assert faults(password=password) == (
            "TS2MQTT_MQTT__PASSWORD: found a value that is not shown; expected at most 65,535 bytes",
        )
        file = tmp_path / "password"
        file.write_text(password, encoding="utf-8")
        assert faults(password_file=str(file)) == (
            f"TS2MQTT_MQTT__PASSWORD_FILE: {str(file)!r} has more than 65,535 bytes; expected the password in it",
        )

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        assert faults(password=b"p\xff".decode(errors="surrogateescape")) == (
            "TS2MQTT_MQTT__PASSWORD: found a value that is not shown; expected UTF-8 text",
        )


class TestFiles:
    @not_on_windows("there it is no file")
    @pytest.mark.parametrize("key", ["password_file", "tls__ca_file"])
    def test_a_device_is_not_read(self, key: str) -> None:
        (fault,) = faults(**{key: "/dev/zero"})
        assert fault.endswith(": cannot read '/dev/zero': it is no regular file")

    @not_on_windows("there it is no file")
    @pytest.mark.parametrize("key", ["password_file", "tls__ca_file"])
    def test_a_pipe_is_not_waited_for(self, key: str, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        (fault,) = faults(**{key: str(pipe)})
        assert fault.endswith(f": cannot read '{pipe}': it is no regular file")

    def test_a_directory_is_told(self, tmp_path: Path) -> None:
        (fault,) = faults(password_file=str(tmp_path))
        assert fault.endswith(f": cannot read {str(tmp_path)!r}: Is a directory")

    @not_on_windows("there it takes room on the disk")
    def test_of_a_huge_file_only_the_beginning_is_read(self, tmp_path: Path) -> None:
        file = tmp_path / "huge"
        with file.open("wb") as huge:
            # Takes no room on the disk, and would take all memory.
            huge.truncate(1 << 40)
        (fault,) = faults(password_file=str(file))
        assert "has more than 65,535 bytes" in fault


class TestTokensInAddresses:
    def test_the_path_of_an_address_is_not_shown(self) -> None:
        variables = {"TS2MQTT_MQTT__HOST": "broker", "TS2MQTT_RIGS__0__URL": "http://rig:8188/t0ken?x"}
        variables |= {"TS2MQTT_RIGS__1__URL": "ftp://rig/t0ken", "TS2MQTT_RIGS__1__NAME": "Two"}
        with pytest.raises(ConfigError) as caught:
            load_config(None, variables)
        assert "'http://rig:8188/***'" in str(caught.value)
        assert "t0ken" not in str(caught.value)

    def test_two_rigs_with_one_address_are_told_without_its_path(self) -> None:
        url = "http://rig:8188/t0ken"
        variables = {"TS2MQTT_MQTT__HOST": "broker", "TS2MQTT_RIGS__0__URL": url, "TS2MQTT_RIGS__1__URL": url}
        variables |= {"TS2MQTT_RIGS__1__NAME": "Two"}
        with pytest.raises(ConfigError, match=r"http://rig:8188 is also an address of rigs\[0\]") as caught:
            load_config(None, variables)
        assert "t0ken" not in str(caught.value)
