"""The app's files by the rules of Home Assistant's Supervisor and of its linter.

Sources: home-assistant/supervisor, supervisor/addons/validate.py and options.py; frenck/action-addon-linter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from PIL import Image

from tests.support.build import mqtt_config
from tests.support.project import ROOT, recipe
from ts2mqtt import __version__
from ts2mqtt.app.start import BrokerOptions, Options, RigOptions
from ts2mqtt.bridge.sign_of_life import sign_paths

if TYPE_CHECKING:
    from pydantic import BaseModel

ADDON = ROOT / "addon"
CONFIG: dict[str, Any] = yaml.safe_load((ADDON / "config.yaml").read_text())
LANGUAGES = ("en", "de")

# supervisor/addons/options.py; float bounds cannot be negative there.
ELEMENT = re.compile(
    r"(bool|email|url|port|str(\(\d*,\d*\))?|password(\(\d*,\d*\))?|int(\(\d*,\d*\))?|float(\([\d.]*,[\d.]*\))?"
    r"|match\(.*\)|list\(.+\))\??"
)
# The linter refuses a key that says what is the default anyway.
DEFAULTS = {
    "boot": "auto",
    "startup": "application",
    "stage": "stable",
    "init": True,
    "apparmor": True,
    "ingress": False,
    "host_network": False,
    "hassio_api": False,
    "homeassistant_api": False,
    "auth_api": False,
    "timeout": 10,
    "backup": "hot",
}
REQUIRED = {"name", "version", "slug", "description", "arch"}
OTHERS = {"homeassistant", "services", "options", "schema", "image", "url"}


def elements(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        return [element for value in schema.values() for element in elements(value)]
    if isinstance(schema, list):
        assert len(schema) == 1
        return elements(schema[0])
    return [schema]


def fits(schema: Any, value: Any) -> bool:
    """Whether options fit the schema; as the Supervisor sees it, without the formats of texts."""
    if isinstance(schema, dict):
        needed = {key for key, inner in schema.items() if not _optional(inner)}
        return (
            isinstance(value, dict)
            and needed <= value.keys() <= schema.keys()
            and all(fits(schema[key], inner) for key, inner in value.items())
        )
    if isinstance(schema, list):
        return isinstance(value, list) and all(fits(schema[0], inner) for inner in value)
    if schema.startswith("list("):
        return value in schema.rstrip("?").removeprefix("list(").removesuffix(")").split("|")
    return value is not None


def _optional(schema: Any) -> bool:
    # A group is always needed, also if nothing in it is.
    inner = schema[0] if isinstance(schema, list) else schema
    return isinstance(inner, str) and inner.endswith("?")


def fields(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def test_the_keys_are_those_that_the_supervisor_knows_and_none_says_its_default() -> None:
    assert CONFIG.keys() >= REQUIRED
    assert CONFIG.keys() <= REQUIRED | OTHERS | DEFAULTS.keys()
    assert {key for key, default in DEFAULTS.items() if CONFIG.get(key) == default} == set()


def test_it_is_the_version_of_the_package() -> None:
    assert CONFIG["version"] == __version__
    assert f"\n## {__version__}\n" in (ADDON / "CHANGELOG.md").read_text()


def test_it_asks_for_nothing_but_the_broker() -> None:
    assert CONFIG["services"] == ["mqtt:want"]
    assert set(CONFIG["arch"]) <= {"aarch64", "amd64"}


def test_the_schema_is_one_that_the_supervisor_can_read() -> None:
    assert [element for element in elements(CONFIG["schema"]) if not ELEMENT.fullmatch(element)] == []


def test_the_default_options_fit_the_schema() -> None:
    assert fits(CONFIG["schema"], CONFIG["options"])
    Options.model_validate(CONFIG["options"])


def test_the_start_knows_exactly_the_options_of_the_schema() -> None:
    schema = CONFIG["schema"]
    assert fields(Options) == schema.keys()
    assert fields(RigOptions) == schema["rigs"][0].keys()
    assert fields(BrokerOptions) == schema["mqtt"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_has_a_name_and_an_explanation(language: str) -> None:
    texts = yaml.safe_load((ADDON / "translations" / f"{language}.yaml").read_text())["configuration"]

    def check(schema: dict[str, Any], texts: dict[str, Any]) -> None:
        assert texts.keys() == schema.keys()
        for key, text in texts.items():
            assert text["name"]
            assert text["description"]
            inner = schema[key][0] if isinstance(schema[key], list) else schema[key]
            if isinstance(inner, dict):
                check(inner, text["fields"])

    check(CONFIG["schema"], texts)


def test_no_translation_was_forgotten() -> None:
    assert {path.stem for path in (ADDON / "translations").glob("*.yaml")} == set(LANGUAGES)


def test_the_store_finds_the_repository() -> None:
    repository = yaml.safe_load((ROOT / "repository.yaml").read_text())
    assert repository["name"] == "ts2mqtt"
    assert repository.keys() <= {"name", "url", "maintainer"}


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (500, 200))])
def test_icon_and_logo_are_small_pictures(name: str, size: tuple[int, int]) -> None:
    path = ADDON / name
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", size)
    assert path.stat().st_size < 30_000


def test_the_apparmor_profile_is_the_app_s_and_lets_it_write_nothing_but_its_sign_of_life() -> None:
    profile = (ADDON / "apparmor.txt").read_text()
    assert f"profile {CONFIG['slug']} " in profile
    rules = [line.strip().rstrip(",") for line in profile.splitlines() if line.strip().startswith("/")]
    assert rules
    assert {rule for rule in rules if "w" in rule.split()[-1]} == {"/dev/null rw"}
    owned = {line.strip().rstrip(",") for line in profile.splitlines() if line.strip().startswith("owner ")}
    assert owned == {f"owner {path.with_name('ts2mqtt-*')} rw" for path in sign_paths(mqtt_config(1883), {})}
    assert "capability" not in profile.split("{", 1)[1]
    assert "/data" not in profile


def test_its_image_says_what_it_is_to_the_supervisor() -> None:
    dockerfile = (ADDON / "Dockerfile").read_text()
    labels = dict(re.findall(r'(io\.hass\.\w+)="([^"]*)"', dockerfile))
    assert labels == {
        "io.hass.type": "addon",
        "io.hass.name": CONFIG["name"],
        "io.hass.description": CONFIG["description"],
        "io.hass.version": "${BUILD_VERSION}",
        "io.hass.arch": "${BUILD_ARCH}",
    }
    assert re.findall(r"^ARG (.+)$", dockerfile, re.MULTILINE) == ["BUILD_VERSION BUILD_ARCH"]


def test_what_is_built_at_the_user_s_asks_no_index() -> None:
    lines = "\n".join(recipe("addon"))
    assert "--only-binary=:all:" in (ROOT / "Makefile").read_text()
    assert "/^image:/d" in lines
    for machine in ("x86_64", "aarch64"):
        assert f"$(call MANYLINUX,{machine})" in lines
    install = (ADDON / "Dockerfile").read_text().replace("\\\n", " ")
    assert "--no-index --find-links /addon/wheels" in install


def test_its_documentation_names_every_option() -> None:
    text = (ADDON / "DOCS.md").read_text()
    assert [key for key in CONFIG["schema"] if f"`{key}`" not in text] == []
