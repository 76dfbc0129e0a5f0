"""The configuration folder of a Home Assistant that has been set up: its owner, the MQTT entry, the HTTP server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from pathlib import Path

    from tests.home_assistant.releases import Release

_TOKEN_ID, _TOKEN_KEY = "0" * 32, "1" * 128
_OWNER = "2" * 32
_SET_UP = "2026-01-01T00:00:00+00:00"
_LIFE = timedelta(days=3650)

_CONFIGURATION = """\
homeassistant:
frontend:
config:
recorder:
  commit_interval: 1
history:
logbook:
diagnostics:
sun:
automation: !include automations.yaml
script: !include scripts.yaml
logger:
  default: warning
  logs:
    homeassistant.components.http: info
    homeassistant.components.mqtt.client: info
"""
_HTTP = """\
http:
  server_host: 127.0.0.1
  server_port: {port}
"""


def access_token() -> str:
    """Logs the owner in; Home Assistant knows its key from its storage."""
    now = datetime.now(UTC)
    return jwt.encode({"iss": _TOKEN_ID, "iat": now, "exp": now + _LIFE}, _TOKEN_KEY, algorithm="HS256")


def write_configuration(directory: Path, release: Release, *, port: int, mqtt_port: int, configuration: str) -> None:
    """Writes it as this release would have left it behind."""
    # From then on the server's settings stand in the storage, and those in YAML end Home Assistant after minutes.
    http_is_stored = release.year_and_month >= (2026, 11)
    text = _CONFIGURATION + configuration + ("" if http_is_stored else _HTTP.format(port=port))
    (directory / "configuration.yaml").write_text(text, encoding="utf-8")
    (directory / "automations.yaml").write_text("[]\n")
    (directory / "scripts.yaml").write_text("{}\n")
    _store(directory, "auth", 1, _auth())
    _store(directory, "onboarding", 4, {"done": ["user", "core_config", "analytics", "integration"]})
    _store(directory, "core.config", 1, _core())
    _store(directory, "core.config_entries", 1, {"entries": [_mqtt_entry(release, mqtt_port)]})
    if http_is_stored:
        _store(directory, "http", 3, _http(port))


def _store(directory: Path, key: str, version: int, content: dict[str, Any]) -> None:
    storage = directory / ".storage"
    storage.mkdir(exist_ok=True)
    whole = {"version": version, "minor_version": 1, "key": key, "data": content}
    (storage / key).write_text(json.dumps(whole), encoding="utf-8")


def _auth() -> dict[str, Any]:
    owner = {
        "id": _OWNER,
        "group_ids": ["system-admin"],
        "is_owner": True,
        "is_active": True,
        "name": "Owner",
        "system_generated": False,
        "local_only": False,
    }
    token = {
        "id": _TOKEN_ID,
        "user_id": _OWNER,
        "client_id": None,
        "client_name": "tests",
        "client_icon": None,
        "token_type": "long_lived_access_token",
        "created_at": _SET_UP,
        "access_token_expiration": _LIFE.total_seconds(),
        "token": "3" * 128,
        "jwt_key": _TOKEN_KEY,
        "last_used_at": None,
        "last_used_ip": None,
        "expire_at": None,
        "credential_id": None,
        "version": None,
    }
    groups = {"system-admin": "Administrators", "system-users": "Users", "system-read-only": "Read Only"}
    return {
        "users": [owner],
        "groups": [{"id": group, "name": name} for group, name in groups.items()],
        "credentials": [],
        "refresh_tokens": [token],
    }


def _core() -> dict[str, Any]:
    return {
        "latitude": 52.5,
        "longitude": 13.4,
        "elevation": 34,
        "radius": 100,
        "unit_system_v2": "metric",
        "location_name": "Home",
        "time_zone": "UTC",
        "external_url": None,
        "internal_url": None,
        "currency": "EUR",
        "country": "DE",
        "language": "en",
    }


def _mqtt_entry(release: Release, port: int) -> dict[str, Any]:
    version = 2 if release.year_and_month >= (2026, 1) else 1
    return {
        "entry_id": "mqtt",
        "version": version,
        "minor_version": 1,
        "domain": "mqtt",
        "title": "Broker",
        "data": {"broker": "127.0.0.1", "port": port, "protocol": "5"},
        "options": {"discovery": True},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
        "created_at": _SET_UP,
        "modified_at": _SET_UP,
        "discovery_keys": {},
        "subentries": [],
    }


def _http(port: int) -> dict[str, Any]:
    settings = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": _SET_UP,
        "error": None,
        "error_message": None,
    }
    return {"stable": settings, "pending": None, "yaml_migration_done": True}
