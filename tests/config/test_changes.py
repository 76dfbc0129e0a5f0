"""What changes between two configurations, by name, and what of it is applied to a bridge at work."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ts2mqtt.config import Config, changes, load_config, taken_up

SECRET = "never-shown-51c"  # noqa: S105 - the point is to look for it


def config(tmp_path: Path, **sections: Any) -> Config:
    """With a broker and one rig, where nothing else is said."""
    path = tmp_path / "config.yaml"
    whole = {"mqtt": {"host": "broker"}, "rigs": [{"name": "Backyard", "url": "http://rig"}], **sections}
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    path.chmod(0o600)
    return load_config(path, {}).config


@pytest.mark.parametrize(
    ("sections", "applied", "need_restart"),
    [
        ({}, [], []),
        ({"polling": {"interval": "30s"}}, [], []),
        ({"polling": {"interval": "1m", "plan": "off"}}, ["polling.interval", "polling.plan"], []),
        # edit_interval and slow_interval follow, and nobody wrote them.
        ({"polling": {"interval": "1h"}}, ["polling.interval"], []),
        ({"log": {"level": "debug", "format": "json"}}, ["log.level", "log.format"], []),
        ({"home_assistant": {"project_states": ["Active"]}}, ["home_assistant.project_states"], []),
        (
            {"home_assistant": {"enabled": False, "project_states": ["Active"]}},
            ["home_assistant.project_states"],
            ["home_assistant.enabled"],
        ),
        # So does the port.
        ({"mqtt": {"host": "broker", "tls": {"enabled": True}}}, [], ["mqtt.tls.enabled"]),
        ({"mqtt": {"host": "other", "username": "me", "password": SECRET}}, [], ["host", "username", "password"]),
        ({"rigs": [{"name": "Back yard", "id": "backyard", "url": "http://rig"}]}, [], ["rigs[0].name"]),
        ({"rigs": [{"name": "Backyard", "url": ["http://rig", "http://b"]}]}, [], ["rigs[0].url"]),
        (
            {"rigs": [{"name": "Backyard", "url": "http://rig", "site": {"latitude": 1, "longitude": 2}}]},
            [],
            ["rigs[0].site"],
        ),
        ({"rigs": [{"name": "Remote", "url": "http://rig"}]}, [], ["rigs.remote (added)", "rigs.backyard (removed)"]),
        (
            {"rigs": [{"name": "New", "url": "http://new"}, {"name": "Backyard", "url": "http://moved"}]},
            [],
            ["rigs.new (added)", "rigs[1].url"],
        ),
    ],
)
def test_names_what_has_changed(
    tmp_path: Path, sections: dict[str, Any], applied: list[str], need_restart: list[str]
) -> None:
    found = changes(config(tmp_path), config(tmp_path, **sections))
    expected = [key if "." in key else f"mqtt.{key}" for key in need_restart]
    assert (sorted(found.applied), sorted(found.need_restart)) == (sorted(applied), sorted(expected))
    assert SECRET not in repr(found)


def test_a_secret_file_with_another_content_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text("old")
    mqtt = {"host": "broker", "username": "me", "password_file": "password.txt"}
    old = config(tmp_path, mqtt=mqtt)
    (tmp_path / "password.txt").write_text(SECRET)
    found = changes(old, config(tmp_path, mqtt=mqtt))
    assert (found.applied, found.need_restart) == ((), ("mqtt.password_file",))


def test_a_bridge_takes_up_what_it_can_and_keeps_the_rest(tmp_path: Path) -> None:
    old = config(tmp_path)
    new = config(
        tmp_path,
        mqtt={"host": "other"},
        rigs=[{"name": "Remote", "url": "http://remote"}],
        home_assistant={"enabled": False, "project_states": ["Closed"]},
        polling={"interval": "1m"},
        log={"level": "error"},
    )
    running = taken_up(old, new)
    assert (running.mqtt, running.rigs) == (old.mqtt, old.rigs)
    assert (running.polling, running.log) == (new.polling, new.log)
    assert (running.home_assistant.enabled, running.home_assistant.project_states) == (True, ("Closed",))
    # So the next time the same keys are told again.
    assert changes(running, new).need_restart == changes(old, new).need_restart
    assert changes(running, new).applied == ()
