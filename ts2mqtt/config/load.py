"""Reads the configuration from a file and the environment, and reports all faults at once."""

import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from ts2mqtt.config.document import read_document
from ts2mqtt.config.environment import overlay
from ts2mqtt.config.faults import Fault, KeyPath, Place, dotted, in_order, shown
from ts2mqtt.config.keys import Kind, kind_of, variable
from ts2mqtt.config.models import (
    Config,
    HomeAssistantConfig,
    LogConfig,
    MqttConfig,
    PollingConfig,
    RigConfig,
    conflicts,
)
from ts2mqtt.config.settings import Settings
from ts2mqtt.config.values import CONFLICT, DEFAULT_NOT_MADE, MOST_PASSWORD_BYTES
from ts2mqtt.errors import ConfigError

_Section = TypeVar("_Section", bound=BaseModel)


@dataclass(frozen=True)
class LoadedConfig:
    """The configuration, its file, and warnings about settings that are allowed but unwise."""

    config: Config
    source: Path | None
    warnings: tuple[str, ...]


def load_config(path: Path | None, environment: Mapping[str, str]) -> LoadedConfig:
    """The configuration in the file at `path`, if any, with the TS2MQTT_… variables of the environment.

    Raises ConfigError with one line for each fault; never with a secret.
    """
    nothing = Settings(Place("environment"), {}, {}, ())
    written = nothing if path is None else read_document(path)
    settings = overlay(written, environment)
    checking = _Checking(settings)
    config = checking.config()
    if config is None:
        faults = checking.faults
        if path is not None and not written.places and not written.faults:
            empty = "the file is empty or holds only comments; copy config.yaml.example to start with"
            faults = [Fault(written.root, (), empty), *faults]
        raise ConfigError(*map(str, in_order(faults)))
    warnings = (*settings.warnings, *_readable_by_others(path, written, settings), *_without_effect(config, settings))
    return LoadedConfig(config, path, warnings)


class _Checking:
    """Checks the sections one by one, so that a fault in one section does not hide the faults of another."""

    def __init__(self, settings: Settings) -> None:
        self.faults = list(settings.faults)
        self._settings = settings
        self._meant = {fault.meant for fault in settings.faults if fault.meant is not None}

    def config(self) -> Config | None:
        """None if there are faults."""
        passwords = self._files()
        mqtt = self._section(MqttConfig, ("mqtt",), passwords)
        home_assistant = self._section(HomeAssistantConfig, ("home_assistant",), passwords)
        polling = self._section(PollingConfig, ("polling",), passwords)
        log = self._section(LogConfig, ("log",), passwords)
        rigs = self._rigs(passwords)
        for key, text in conflicts(mqtt, home_assistant, rigs):
            self._fault(key, text)
        if self.faults or not (mqtt and home_assistant and polling and log):
            return None
        return Config(mqtt=mqtt, home_assistant=home_assistant, rigs=tuple(rigs.values()), polling=polling, log=log)

    def _rigs(self, passwords: Mapping[KeyPath, SecretStr]) -> dict[int, RigConfig]:
        numbers = sorted(
            {key[1] for key in self._settings.places if key[0] == "rigs" and len(key) > 1 and isinstance(key[1], int)}
        )
        if not numbers:
            self._missing(("rigs",))
        rigs = {number: self._section(RigConfig, ("rigs", number), passwords) for number in numbers}
        return {number: rig for number, rig in rigs.items() if rig}

    def _section(
        self, model: type[_Section], key: KeyPath, passwords: Mapping[KeyPath, SecretStr]
    ) -> _Section | None:
        try:
            section = model.model_validate(self._settings.section(key))
        except ValidationError as error:
            self._all_wrong(key, error)
            return None
        password = passwords.get((*key, "password"))
        return section if password is None else section.model_copy(update={"password": password})

    def _all_wrong(self, key: KeyPath, error: ValidationError) -> None:
        for details in error.errors(include_url=False):
            if details["type"] != DEFAULT_NOT_MADE:
                self._wrong((*key, *details["loc"]), details["type"], details["msg"], details["input"])

    def _wrong(self, key: KeyPath, kind: str, text: str, found: object) -> None:
        key = self._settings.written_key(key)
        if kind == "missing":
            self._missing(key)
        elif kind == CONFLICT:
            self._fault(key, text)
        else:
            secret = kind_of(key) in {Kind.SECRET, Kind.SECRETS}
            self._fault(key, f"found {shown(found, secret=secret)}; {text}")

    def _missing(self, key: KeyPath) -> None:
        """Report a missing key, unless an unknown key was probably meant to be this one."""
        if any(key[: len(meant)] == meant or meant[: len(key)] == key for meant in self._meant):
            return
        self._fault(key, f"missing; {_how_to_add(key)}")

    def _fault(self, key: KeyPath, text: str) -> None:
        self.faults.append(Fault(self._settings.place_of(key), key, text))

    def _files(self) -> dict[KeyPath, SecretStr]:
        """The passwords from files, by the key of the password; other files are only opened as a test."""
        passwords = {}
        for key, file in _named_files(self._settings):
            try:
                content = _beginning(file)
            except OSError as error:
                # Windows calls that a denied permission.
                reason = os.strerror(errno.EISDIR) if file.is_dir() else error.strerror
                self._fault(key, f"cannot read {str(file)!r}: {reason}")
                continue
            except ValueError:
                # The name has characters that no file system allows, such as NUL.
                self._fault(key, f"cannot read {str(file)!r}: no file can have this name")
                continue
            if key[-1] == "password_file":
                if len(content) > MOST_PASSWORD_BYTES:
                    text = f"has more than {MOST_PASSWORD_BYTES:,} bytes; expected the password in it"
                    self._fault(key, f"{str(file)!r} {text}")
                    continue
                try:
                    # Windows Notepad puts a byte order mark before the text.
                    text = content.decode("utf-8-sig").rstrip("\r\n")
                except UnicodeDecodeError:
                    self._fault(key, f"{str(file)!r} is not UTF-8 text")
                    continue
                if not text:
                    self._fault(key, f"{str(file)!r} is empty; expected the password in it")
                passwords[(*key[:-1], "password")] = SecretStr(text)
        return passwords


def _beginning(file: Path) -> bytes:
    """Raises OSError for a pipe or a device: one may never begin, another never end."""
    # Whether it is there at all is open()'s to tell: stat() has Windows say so, in its own language.
    if file.exists() and not file.is_file() and not file.is_dir():
        raise OSError(errno.EINVAL, "it is no regular file")
    with file.open("rb") as opened:
        # The line end after a password counts, too.
        return opened.read(MOST_PASSWORD_BYTES + 1)


def _named_files(settings: Settings) -> Iterator[tuple[KeyPath, Path]]:
    for key, value in settings.values.items():
        if isinstance(value, Path):
            yield key, value


def _how_to_add(key: KeyPath) -> str:
    url = "http://192.168.1.50:8188"
    if key == ("mqtt", "host"):
        return (
            'write "host: 192.168.1.10", with the address of your MQTT broker, below "mqtt:", '
            f"or set {variable(key)}=192.168.1.10"
        )
    if key == ("rigs",):
        return (
            f'write "rigs:" and below it "  - url: {url}", with the address of the PC that runs N.I.N.A., '
            f"or set TS2MQTT_RIG_URL={url}"
        )
    if key[-1] == "url":
        return f'write "url: {url}", with the address of the PC that runs N.I.N.A., or set {variable(key)}={url}'
    return "a site needs both latitude and longitude, in degrees"


# The permissions of the group and of others; on systems other than POSIX the bits have no meaning.
_OTHERS = 0o077
_HAS_FILE_MODES = os.name == "posix"
# Docker and Kubernetes mount secrets here: readable for all by default, but inside of the container only.
_CONTAINER_SECRETS = ("/run/secrets/", "/var/run/secrets/")


def _readable_by_others(path: Path | None, written: Settings, settings: Settings) -> Iterator[str]:
    if not _HAS_FILE_MODES:
        return
    secrets = [key for key in written.values if kind_of(key) is Kind.SECRET]
    if path is not None and secrets:
        mode = path.stat().st_mode & 0o777
        if mode & _OTHERS:
            yield (
                f"{path}: other users of this computer can read {dotted(secrets[0])} in it "
                f"(mode {mode:o}); chmod 600 {path}"
            )
    for key, file in _named_files(settings):
        if key[-1] == "password_file" and not str(file.absolute()).startswith(_CONTAINER_SECRETS):
            mode = file.stat().st_mode & 0o777
            if mode & _OTHERS:
                yield (
                    f"{file}: other users of this computer can read this {dotted(key)} "
                    f"(mode {mode:o}); chmod 600 {file}"
                )


def _without_effect(config: Config, settings: Settings) -> Iterator[str]:
    if not config.mqtt.tls.enabled:
        for key in settings.values:
            if key[:2] == ("mqtt", "tls") and key[2] != "enabled" and settings.values[key] != "false":
                place = settings.place_of(key)
                yield f"{place}: {dotted(key)} has no effect while mqtt.tls.enabled is false"
