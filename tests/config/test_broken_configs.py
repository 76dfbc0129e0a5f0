"""What a user reads when the configuration is wrong: complete messages, all faults at once, never a secret."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.windows import not_on_windows
from ts2mqtt.config import load_config
from ts2mqtt.errors import ConfigError

HIDDEN = "hunter2"
GOOD = "mqtt:\n  host: broker\nrigs:\n  - url: http://rig:8188\n"
NOTHING_REQUIRED = (
    'config.yaml: mqtt.host: missing; write "host: 192.168.1.10", with the address of your MQTT broker, '
    'below "mqtt:", or set TS2MQTT_MQTT__HOST=192.168.1.10\n'
    'config.yaml: rigs: missing; write "rigs:" and below it "  - url: http://192.168.1.50:8188", with the '
    "address of the PC that runs N.I.N.A., or set TS2MQTT_RIG_URL=http://192.168.1.50:8188"
)


@dataclass(frozen=True)
class Broken:
    """A configuration with faults, and the message about them."""

    name: str
    environment: Mapping[str, str]
    file: str
    message: str


def broken_configs() -> Iterator[Broken]:
    text = Path(__file__).with_name("broken_configs.txt").read_text(encoding="utf-8")
    for case in re.split(r"^=== ", text, flags=re.MULTILINE)[2:]:
        written, message = case.split(">>>\n")
        name, *lines = written.splitlines()
        variables = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        file = "".join(f"{line}\n" for line in lines if not line.startswith("$ "))
        environment = dict(variable.split("=", 1) for variable in variables)
        yield Broken(name, environment, file, message.strip("\n"))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name the file as the user did: relative to the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("empty.txt").write_text("\n", encoding="utf-8")
    Path("latin1.txt").write_bytes(b"\xe4")
    Path("there.key").write_text("x", encoding="utf-8")


def message_about(file: str | bytes, environment: Mapping[str, str] | None = None) -> str:
    Path("config.yaml").write_bytes(file if isinstance(file, bytes) else file.encode())
    with pytest.raises(ConfigError) as raised:
        load_config(Path("config.yaml"), environment or {})
    assert raised.value.__cause__ is None
    assert HIDDEN not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("broken", list(broken_configs()), ids=lambda broken: broken.name)
def test_the_message_is_complete(broken: Broken) -> None:
    assert message_about(broken.file, broken.environment) == broken.message


@not_on_windows("there a file may have these names")
def test_names_that_no_file_has_elsewhere() -> None:
    message = message_about(
        'mqtt:\n  host: broker\n  tls: {enabled: true, cert_file: "\\uD800"}\n'
        "rigs:\n  - url: http://rig:8188\n    ca_file: ~nobody_here/ca.crt\n"
    )
    assert message == (
        "config.yaml:3: mqtt.tls.cert_file: cannot read '\\ud800': no file can have this name\n"
        "config.yaml:6: rigs[0].ca_file: cannot read '~nobody_here/ca.crt': No such file or directory"
    )


def test_there_are_many_broken_configs() -> None:
    assert len(list(broken_configs())) >= 100


def test_an_empty_file() -> None:
    empty = "config.yaml: the file is empty or holds only comments; copy config.yaml.example to start with"
    assert message_about("") == f"{empty}\n{NOTHING_REQUIRED}"
    assert message_about("---\n") == f"{empty}\n{NOTHING_REQUIRED}"


def test_text_that_is_not_utf_8() -> None:
    expected = "not UTF-8 text; save the file with the encoding UTF-8"
    assert message_about(b"mqtt:\n  host: b\xe4cker\n") == f"config.yaml:2:10: {expected}"
    assert message_about(GOOD.encode("utf-16")) == f"config.yaml:1:1: {expected}"


def test_a_control_character() -> None:
    assert (
        message_about("mqtt:\n  host: bro\x07ker\n") == "config.yaml:2:12: a control character stands here; delete it"
    )


def test_a_file_that_is_too_large() -> None:
    too_large = "config.yaml: larger than 1 MiB; expected a configuration of a few lines"
    assert message_about(GOOD + "# much more\n" * 100_000) == too_large


def test_more_values_than_any_configuration_has() -> None:
    too_many = "config.yaml: more than 50000 values; expected a configuration of a few lines"
    assert message_about(f"[{'a,' * 60_000}]\n") == too_many


def test_aliases_that_unfold_without_end() -> None:
    laughs = f"x: &urls [{'a,' * 100}]\nrigs: [{'{url: *urls},' * 1000}]\n"
    assert message_about(laughs) == "config.yaml: aliases make more than 50000 values of this file"


def test_brackets_without_end() -> None:
    too_deep = "config.yaml: nested more than 20 levels deep; the configuration has at most 4"
    assert message_about(f"mqtt: {'[' * 100_000}\n") == too_deep


def test_variables_that_cannot_be_decoded() -> None:
    message = message_about(GOOD, {"TS2MQTT_MQTT__HOST": "\udcff", "TS2MQTT_RIGS__0__NAME": "\udcff"})
    assert message == (
        "TS2MQTT_MQTT__HOST: found '\\udcff'; expected the name or address of the MQTT broker, such as 192.168.1.10\n"
        "TS2MQTT_RIGS__0__NAME: found '\\udcff'; expected a text of at most 100 characters in one line"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "missing.yaml",
            (
                "missing.yaml: no such file in FOLDER; 'ts2mqtt setup' asks for what has to stand in it and writes "
                "it, or name another file with -c"
            ),
        ),
        (
            ".",
            (".: is a directory; expected a file (Docker makes a directory where the file to mount is missing)"),
        ),
        pytest.param(
            "there.key/config.yaml",
            "there.key/config.yaml: cannot be read: Not a directory",
            marks=not_on_windows("to Windows there is no such file"),
        ),
    ],
)
def test_a_file_that_cannot_be_read(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(Path(name), {})
    assert str(raised.value) == message.replace("FOLDER", str(Path.cwd()))


def test_what_lies_beside_a_file_that_is_missing() -> None:
    for name in ("rig.yaml", "compose.yml", "d.yaml", "c.yaml"):
        Path(name).touch()
    with pytest.raises(ConfigError) as raised:
        load_config(Path("missing.yaml"), {})
    assert str(raised.value) == (
        f"missing.yaml: no such file in {Path.cwd()}; 'ts2mqtt setup' asks for what has to stand in it and writes "
        "it, or name another file with -c; in the same folder there is c.yaml, compose.yml, d.yaml"
    )


@pytest.mark.parametrize("other", ["config.yaml.txt", "config.yml"])
def test_a_file_with_another_ending(other: str) -> None:
    Path("home").mkdir()
    Path("home", other).write_text(GOOD, encoding="utf-8")
    path = Path("home", "config.yaml")
    with pytest.raises(ConfigError) as raised:
        load_config(path, {})
    assert str(raised.value) == (
        f"{path}: no such file in {path.absolute().parent}; there is {other} in the same folder: rename it to "
        "config.yaml"
    )


def test_nothing_at_all() -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, {})
    assert str(raised.value) == NOTHING_REQUIRED.replace("config.yaml:", "environment:")


def test_a_rig_from_the_environment_without_an_address() -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, {"TS2MQTT_MQTT__HOST": "broker", "TS2MQTT_RIG_NAME": "Backyard"})
    assert str(raised.value) == (
        'environment: rigs[0].url: missing; write "url: http://192.168.1.50:8188", with the address of the PC '
        "that runs N.I.N.A., or set TS2MQTT_RIGS__0__URL=http://192.168.1.50:8188"
    )
