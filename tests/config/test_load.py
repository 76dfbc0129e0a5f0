"""Good configurations: what the file, the environment and secrets in files come to together."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from tests.support.windows import not_on_windows
from ts2mqtt.config import (
    Config,
    LoadedConfig,
    LogConfig,
    MqttConfig,
    PollingConfig,
    RigConfig,
    SiteConfig,
    TlsConfig,
    load as load_module,
    load_config,
)

GOOD = "mqtt:\n  host: broker\nrigs:\n  - url: http://rig:8188\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str, mode: int = 0o600) -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def load(file: str, environment: Mapping[str, str] | None = None, mode: int = 0o600) -> LoadedConfig:
    return load_config(write("config.yaml", file, mode), environment or {})


def config_from(file: str, environment: Mapping[str, str] | None = None) -> Config:
    return load(file, environment).config


def test_host_and_url_are_enough() -> None:
    loaded = load(GOOD)
    assert loaded.config == Config(mqtt=MqttConfig(host="broker"), rigs=(RigConfig(url=("http://rig:8188",)),))
    assert loaded.source == Path("config.yaml")
    assert loaded.warnings == ()


def test_defaults() -> None:
    config = config_from(GOOD)
    assert (config.mqtt.port, config.mqtt.qos, config.mqtt.keepalive) == (1883, 1, 60.0)
    assert (config.rigs[0].name, config.rigs[0].id, config.rigs[0].site) == ("Rig", "rig", None)
    assert (config.polling.interval, config.polling.edit_interval, config.polling.slow_interval) == (
        30.0,
        120.0,
        600.0,
    )
    assert config.polling.statistics_interval == 6 * 3600.0
    assert config.home_assistant.project_states == ("Draft", "Active", "Inactive")
    assert config.log == LogConfig(level="info", format="text")


def test_every_key() -> None:
    write("ca.crt", "certificate")
    config = config_from(
        """
mqtt:
  host: mqtt.example.org
  port: 9883
  username: me
  password: 0123
  client_id: second
  base_topic: home/ts2mqtt
  protocol: 5
  transport: WebSockets
  websocket_path: /ws
  qos: 0
  keepalive: 90
  tls: {enabled: yes, ca_file: ca.crt, cert_file: ca.crt, key_file: ca.crt, insecure: TRUE}
home_assistant:
  enabled: off
  discovery_prefix: ha
  status_topic: ha/status
  project_states: [closed, ACTIVE, active]
rigs:
  - name: "  Côté Jardin № 1  "
    url: [http://192.168.1.50:8188/, https://proxy.example.org/rig]
    api_version: v1
    exposure_throttle: 150
    time_zone: Australia/Sydney
    site: {latitude: -33.5, longitude: 151}
    username: astro
    password: "p: w"
    headers: {X-Key: abc}
    ca_file: ca.crt
    verify_tls: no
polling:
  interval: 1h30m
  edit_interval: 3h
  slow_interval: 1d
  statistics_interval: 1.5h
  plan: off
  plan_interval: 2h
  concurrency: 4
  timeout: 250ms
  plan_timeout: 1m 30s
log: {level: DEBUG, format: json}
"""
    )
    mqtt, rig = config.mqtt, config.rigs[0]
    assert mqtt.password is not None
    assert mqtt.password.get_secret_value() == "0123"
    assert mqtt.model_copy(update={"password": None}) == MqttConfig(
        host="mqtt.example.org",
        port=9883,
        username="me",
        client_id="second",
        base_topic="home/ts2mqtt",
        protocol="5",
        transport="websockets",
        websocket_path="/ws",
        qos=0,
        keepalive=90.0,
        tls=TlsConfig(
            enabled=True, ca_file=Path("ca.crt"), cert_file=Path("ca.crt"), key_file=Path("ca.crt"), insecure=True
        ),
    )
    assert not config.home_assistant.enabled
    assert config.home_assistant.project_states == ("Active", "Closed")
    assert (rig.name, rig.id) == ("Côté Jardin № 1", "cote_jardin_no_1")
    assert rig.urls == ("http://192.168.1.50:8188", "https://proxy.example.org/rig")
    assert rig.exposure_throttle == 150
    assert rig.zone == ZoneInfo("Australia/Sydney")
    assert rig.site == SiteConfig(latitude=-33.5, longitude=151)
    assert rig.password is not None
    assert rig.password.get_secret_value() == "p: w"
    assert {name: value.get_secret_value() for name, value in rig.headers.items()} == {"X-Key": "abc"}
    assert not rig.verify_tls
    assert config.polling == PollingConfig(
        interval=5400.0,
        edit_interval=10800.0,
        slow_interval=86400.0,
        statistics_interval=5400.0,
        plan="off",
        plan_interval=7200.0,
        concurrency=4,
        timeout=0.25,
        plan_timeout=90.0,
    )
    assert config.log == LogConfig(level="debug", format="json")


def test_keys_without_values_are_not_written() -> None:
    file = "mqtt: {host: broker, port: , username: ~, tls: {ca_file: , enabled: null}}\nlog:\n"
    file += "rigs: [{url: http://rig:8188, headers: {X-Key: }, site: }]\n"
    assert config_from(file) == config_from(GOOD)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5), ("5.5", 5.5), ("30s", 30), ("30 S", 30), ("10m", 600), ("6h", 21600), ("1d", 86400), ("1h30m", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    config = config_from(f"{GOOD}polling: {{interval: {text}, slow_interval: 7d}}\n")
    assert config.polling.interval == seconds


def test_milliseconds_and_minutes_are_not_confused() -> None:
    assert config_from(f"{GOOD}polling: {{timeout: 2m500ms}}\n").polling.timeout == 120.5


def test_tls_moves_the_default_port() -> None:
    assert config_from(GOOD.replace("broker", "broker\n  tls: {enabled: true}")).mqtt.port == 8883
    assert config_from(GOOD.replace("broker", "broker\n  port: 1\n  tls: {enabled: true}")).mqtt.port == 1


def test_a_long_interval_takes_the_slower_ones_along() -> None:
    polling = config_from(f"{GOOD}polling: {{interval: 1h}}\n").polling
    assert (polling.edit_interval, polling.slow_interval) == (3600.0, 3600.0)


@pytest.mark.parametrize("protocol", ["3.1.1", '"3.1.1"', "5", '"5"', "5.0"])
def test_the_protocol_may_look_like_a_number(protocol: str) -> None:
    config = config_from(GOOD.replace("broker", f"broker\n  protocol: {protocol}"))
    assert config.mqtt.protocol == protocol.strip('"').replace("5.0", "5")


@pytest.mark.parametrize(
    "host", ["192.168.1.10", "fe80::1", "[fe80::1]", "core-mosquitto", "my_broker.lan.", "bücher.de"]
)
def test_names_and_addresses_of_brokers(host: str) -> None:
    assert config_from(GOOD.replace("broker", f"'{host}'")).mqtt.host == host.strip("[]")


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    config = config_from(GOOD.replace("- url", "- name: No\n    url").replace("broker", "broker\n  client_id: 0x1F"))
    assert (config.rigs[0].name, config.mqtt.client_id) == ("No", "0x1F")


def test_addresses_separated_by_commas() -> None:
    config = config_from(GOOD.replace("http://rig:8188", "http://a, http://b/"))
    assert config.rigs[0].urls == ("http://a", "http://b")


def test_aliases_and_merged_keys() -> None:
    config = config_from(
        """
mqtt: {host: &host broker, client_id: *host}
rigs:
  - &first
    name: First
    url: http://first:8188
    username: astro
  - <<: *first
    name: Second
    url: http://second:8188
  - <<: [{name: Third, url: http://third:8188}, *first]
"""
    )
    assert config.mqtt.client_id == "broker"
    assert [(rig.name, rig.username) for rig in config.rigs] == [
        ("First", "astro"),
        ("Second", "astro"),
        ("Third", "astro"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert config_from("\ufeff" + GOOD) == config_from(GOOD)


def test_many_rigs() -> None:
    rigs = "".join(f"  - {{name: Rig {number}, url: 'http://rig{number}:8188'}}\n" for number in range(500))
    assert len(config_from(f"mqtt: {{host: broker}}\nrigs:\n{rigs}").rigs) == 500


class TestEnvironment:
    def test_alone(self) -> None:
        environment = {
            "TS2MQTT_MQTT__HOST": "broker",
            "TS2MQTT_RIG_URL": "http://rig:8188, http://rig:8189",
            "TS2MQTT_CONFIG": "elsewhere.yaml",
            "HOME": "/root",
        }
        loaded = load_config(None, environment)
        assert loaded.source is None
        assert loaded.config.rigs == (RigConfig(url=("http://rig:8188", "http://rig:8189")),)

    def test_a_single_rig_with_name_and_id(self) -> None:
        environment = {
            "TS2MQTT_RIG_URL": "http://rig:8188",
            "TS2MQTT_RIG_NAME": "Back Yard",
            "TS2MQTT_RIG_ID": "yard",
            "TS2MQTT_RIGS__0__API_VERSION": "v1",
        }
        (rig,) = config_from("mqtt: {host: broker}\nrigs:\n", environment).rigs
        assert (rig.name, rig.id, rig.api_version) == ("Back Yard", "yard", "v1")

    def test_goes_before_the_file(self) -> None:
        environment = {
            "TS2MQTT_MQTT__HOST": "other",
            "TS2MQTT_MQTT__TLS__ENABLED": "true",
            "TS2MQTT_POLLING__PLAN": "off",
            "TS2MQTT_HOME_ASSISTANT__PROJECT_STATES": "active,closed",
            "TS2MQTT_LOG__LEVEL": "debug",
        }
        config = config_from(f"{GOOD}polling: {{plan: bananas, interval: 1m}}\n", environment)
        assert (config.mqtt.host, config.mqtt.port) == ("other", 8883)
        assert (config.polling.plan, config.polling.interval) == ("off", 60.0)
        assert config.home_assistant.project_states == ("Active", "Closed")
        assert config.log.level == "debug"

    def test_changes_a_rig_of_the_file_and_adds_another(self) -> None:
        environment = {
            "TS2MQTT_RIGS__0__URL": "http://new:8188",
            "TS2MQTT_RIGS__1__URL": "http://second:8188",
            "TS2MQTT_RIGS__1__NAME": "Second",
            "TS2MQTT_RIGS__1__SITE__LATITUDE": "47",
            "TS2MQTT_RIGS__1__SITE__LONGITUDE": "8",
        }
        file = GOOD.replace("http://rig:8188", "[http://a, b://b]").replace("- url", "- name: First\n    url")
        rigs = config_from(file, environment).rigs
        assert [(rig.name, rig.urls) for rig in rigs] == [
            ("First", ("http://new:8188",)),
            ("Second", ("http://second:8188",)),
        ]
        assert rigs[1].site == SiteConfig(latitude=47, longitude=8)

    def test_headers_are_the_same_in_any_capitals(self) -> None:
        file = f"{GOOD}    headers: {{X-Api-Key: old, Other: kept}}\n"
        environment = {"TS2MQTT_RIGS__0__HEADERS__X_API_KEY": "new"}
        headers = config_from(file, environment).rigs[0].headers
        assert {name: value.get_secret_value() for name, value in headers.items()} == {
            "Other": "kept",
            "X-API-KEY": "new",
        }

    def test_an_empty_variable_is_not_set(self) -> None:
        environment = {"TS2MQTT_MQTT__HOST": "", "TS2MQTT_MQTT__PASSWORD": "", "TS2MQTT_RIGS__1__NAME": ""}
        assert config_from(GOOD, environment) == config_from(GOOD)

    def test_a_password_file_replaces_the_password_of_the_file(self) -> None:
        write("secret.txt", "from the file\n")
        file = GOOD.replace("broker", "broker\n  username: me\n  password: old")
        mqtt = config_from(file, {"TS2MQTT_MQTT__PASSWORD_FILE": "secret.txt"}).mqtt
        assert mqtt.password is not None
        assert mqtt.password.get_secret_value() == "from the file"

    def test_a_password_replaces_the_password_file_of_the_file(self) -> None:
        file = GOOD.replace("broker", "broker\n  username: me\n  password_file: missing.txt")
        mqtt = config_from(file, {"TS2MQTT_MQTT__PASSWORD": " new "}).mqtt
        assert mqtt.password is not None
        assert mqtt.password.get_secret_value() == " new "


class TestSecretFiles:
    @pytest.mark.parametrize("content", ["hunter2", "hunter2\n", "hunter2\r\n"])
    def test_stand_beside_the_file_that_names_them(self, content: str) -> None:
        write("etc/mqtt.txt", content)
        write("etc/rig.txt", " two words ")
        file = GOOD.replace("broker", "broker\n  username: me\n  password_file: mqtt.txt")
        file += "    username: me\n    password_file: rig.txt\n"
        config = load_config(write("etc/config.yaml", file), {}).config
        assert config.mqtt.password is not None
        assert config.mqtt.password.get_secret_value() == "hunter2"
        assert config.rigs[0].password is not None
        assert config.rigs[0].password.get_secret_value() == " two words "

    def test_in_the_home_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        write("mqtt.txt", "hunter2")
        config = config_from(GOOD.replace("broker", "broker\n  username: me\n  password_file: ~/mqtt.txt"))
        assert config.mqtt.password_file == tmp_path / "mqtt.txt"

    def test_a_token_needs_no_user_in_mqtt_5(self) -> None:
        mqtt = config_from(GOOD.replace("broker", "broker\n  protocol: 5\n  password: token")).mqtt
        assert mqtt.password is not None


SECRETS = (
    GOOD.replace("broker", "broker\n  username: me\n  password: hunter2")
    + "    username: me\n    password: hunter2\n    headers: {X-Key: hunter2}\n"
)


def test_no_secret_shows() -> None:
    loaded = load(SECRETS, {"TS2MQTT_RIGS__0__HEADERS__OTHER": "hunter2"}, mode=0o644)
    assert "hunter2" not in f"{loaded!r} {loaded} {loaded.config.model_dump()} {loaded.config.model_dump_json()}"


no_modes = not_on_windows("it has no file modes")


class TestWarnings:
    @no_modes
    def test_a_secret_in_a_file_that_others_can_read(self) -> None:
        (warning,) = load(SECRETS, mode=0o640).warnings
        assert warning == (
            "config.yaml: other users of this computer can read mqtt.password in it (mode 640); chmod 600 config.yaml"
        )

    @no_modes
    def test_a_header_is_a_secret_too(self) -> None:
        (warning,) = load(f"{GOOD}    headers: {{X-Key: a}}\n", mode=0o604).warnings
        assert warning == (
            "config.yaml: other users of this computer can read rigs[0].headers.X-Key in it (mode 604); "
            "chmod 600 config.yaml"
        )

    @no_modes
    def test_a_secrets_file_that_others_can_read(self) -> None:
        write("secret.txt", "hunter2", 0o644)
        file = GOOD.replace("broker", "broker\n  username: me\n  password_file: secret.txt")
        (warning,) = load(file, mode=0o644).warnings
        assert warning == (
            "secret.txt: other users of this computer can read this mqtt.password_file (mode 644); "
            "chmod 600 secret.txt"
        )

    def test_a_file_without_secrets_may_be_read(self) -> None:
        assert load(GOOD, {"TS2MQTT_MQTT__PASSWORD": "x", "TS2MQTT_MQTT__USERNAME": "x"}, mode=0o644).warnings == ()

    def test_where_modes_say_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(load_module, "_HAS_FILE_MODES", False)
        assert load(SECRETS, mode=0o644).warnings == ()

    def test_secrets_that_a_container_mounts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(load_module, "_CONTAINER_SECRETS", (f"{tmp_path}/",))
        write("secret.txt", "hunter2", 0o444)
        file = GOOD.replace("broker", "broker\n  username: me\n  password_file: secret.txt")
        assert load(file).warnings == ()

    def test_tls_keys_without_tls(self) -> None:
        write("ca.crt", "certificate")
        file = GOOD.replace("broker", "broker\n  tls: {ca_file: ca.crt, insecure: false}")
        assert load(file).warnings == (
            "config.yaml:3: mqtt.tls.ca_file has no effect while mqtt.tls.enabled is false",
        )


class TestModels:
    """The models guard themselves, whoever makes them."""

    def test_are_frozen(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            LogConfig().level = "debug"

    def test_refuse_what_they_do_not_know(self) -> None:
        with pytest.raises(ValidationError, match="Extra inputs"):
            LogConfig.model_validate({"colour": "red"})

    def test_never_show_their_input(self) -> None:
        with pytest.raises(ValidationError) as raised:
            MqttConfig.model_validate({"password": ["hunter2"]})
        assert "hunter2" not in str(raised.value)

    def test_refuse_rigs_that_collide(self) -> None:
        rig = RigConfig(url=("http://rig:8188",))
        with pytest.raises(ValidationError, match=r"rigs\[1\]\.id: the id 'rig' of 'Rig' is also that of rigs\[0\]"):
            Config(mqtt=MqttConfig(host="broker"), rigs=(rig, rig))

    def test_refuse_a_number_where_a_word_belongs(self) -> None:
        with pytest.raises(ValidationError, match="expected auto, manual or off"):
            PollingConfig.model_validate({"plan": False})
        with pytest.raises(ValidationError, match="expected 0 or 1"):
            MqttConfig.model_validate({"host": "broker", "qos": True})


@pytest.mark.parametrize(
    "url",
    [
        "http://rig:8188/ts",
        "http://rig:8188/ts/v0/",
        "http://rig:8188/ts/v0/profiles",
        "http://rig:8188/ts/v1/targets?projectId=7",
        "http://rig:8188/swagger/index.html#/ts",
    ],
)
def test_an_address_pasted_from_a_browser(url: str) -> None:
    (rig,) = config_from(f"mqtt:\n  host: broker\nrigs:\n  - url: {url}\n").rigs
    assert rig.urls == ("http://rig:8188",)


@pytest.mark.parametrize(
    "url", ["http://proxy/ts/rig1", "http://ts:8188", "http://proxy/tsrig", "https://proxy/t0ken"]
)
def test_an_address_that_is_meant_so(url: str) -> None:
    (rig,) = config_from(f"mqtt:\n  host: broker\nrigs:\n  - url: {url}\n").rigs
    assert rig.urls == (url,)


LOGIN = "mqtt:\n  host: broker\n  username: me\n  password: {}\nrigs:\n  - url: http://rig:8188\n"


def test_a_comment_that_may_be_a_part_of_the_password() -> None:
    (warning,) = load(LOGIN.format("geheim #1")).warnings
    assert warning == (
        "config.yaml:4: mqtt.password ends before the #, which begins a comment; if the # belongs to it, put it in "
        "quotes"
    )


@pytest.mark.parametrize("password", ["geheim#1", '"geheim #1"', '"geheim" # mine', "geheim\n  # mine"])
def test_a_password_without_a_doubtful_comment(password: str) -> None:
    assert load(LOGIN.format(password)).warnings == ()


def test_a_password_file_of_windows_notepad() -> None:
    write("password", "\ufeffgeheim\n")
    password = config_from(LOGIN.replace("password: {}", "password_file: password")).mqtt.password
    assert password
    assert password.get_secret_value() == "geheim"
