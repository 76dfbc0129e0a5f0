"""The configuration: its keys, how it is read from a file and the environment, and its JSON Schema."""

from ts2mqtt.config.changes import Changes, changes, taken_up
from ts2mqtt.config.load import LoadedConfig, load_config
from ts2mqtt.config.models import (
    Config,
    HomeAssistantConfig,
    LogConfig,
    MqttConfig,
    PollingConfig,
    RigConfig,
    SiteConfig,
    TlsConfig,
)
from ts2mqtt.config.schema import config_json_schema
from ts2mqtt.config.values import DEFAULT_PORTS, Seconds, without_api_path, without_path
from ts2mqtt.config.written import config_text

__all__ = [
    "DEFAULT_PORTS",
    "Changes",
    "Config",
    "HomeAssistantConfig",
    "LoadedConfig",
    "LogConfig",
    "MqttConfig",
    "PollingConfig",
    "RigConfig",
    "Seconds",
    "SiteConfig",
    "TlsConfig",
    "changes",
    "config_json_schema",
    "config_text",
    "load_config",
    "taken_up",
    "without_api_path",
    "without_path",
]
