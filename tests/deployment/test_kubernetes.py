"""What `kubectl kustomize` makes of deploy/kubernetes is valid and safe, and its two bridges share nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from paho.mqtt.client import topic_matches_sub

from tests.conftest import need
from tests.support.project import ROOT
from tests.support.sample_rig import BACKYARD, TONIGHT, view_of
from ts2mqtt.config import load_config
from ts2mqtt.config.keys import PREFIX
from ts2mqtt.home_assistant.devices import bridge_device_message, device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.config import Config

_DEPLOY = ROOT / "deploy" / "kubernetes"
_VERSIONS = ("1.30.0", kubernetes_validate.latest_version())
_PASSWORD_FILE = "/run/secrets/ts2mqtt/mqtt-password"  # noqa: S105 - where it stands, not what it is
BRIDGES = ("north", "south")

Manifest = dict[str, Any]


def rendered(folder: Path) -> list[Manifest]:
    need("kubectl with kustomize 4.2 or newer", is_there=knows_labels())
    return list(yaml.safe_load_all(kubectl("kustomize", str(folder))))


def kubectl(*arguments: str) -> str:
    return subprocess.run(["kubectl", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S603, S607


def knows_labels() -> bool:
    """An older kubectl does not tell the version of its kustomize at all."""
    if shutil.which("kubectl") is None:
        return False
    version = re.search(r"Kustomize Version: v(\d+)\.(\d+)", kubectl("version", "--client"))
    return version is not None and (int(version[1]), int(version[2])) >= (4, 2)


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The manifest of this kind with this name, or with this name and the hash of its content."""
    (manifest,) = (
        one
        for one in manifests
        if one["kind"] == kind and re.fullmatch(f"{name}(-[a-z0-9]{{10}})?", one["metadata"]["name"])
    )
    return manifest


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return rendered(_DEPLOY / "example")


@pytest.fixture(scope="module", params=BRIDGES)
def bridge(request: pytest.FixtureRequest) -> str:
    """The name of one bridge of the example."""
    return str(request.param)


@pytest.fixture(scope="module")
def deployment(manifests: list[Manifest], bridge: str) -> Manifest:
    return named(manifests, "Deployment", f"ts2mqtt-{bridge}")


@pytest.fixture(scope="module")
def config_map(manifests: list[Manifest], bridge: str) -> Manifest:
    return named(manifests, "ConfigMap", f"ts2mqtt-{bridge}")


@pytest.fixture(scope="module")
def pod(deployment: Manifest) -> Manifest:
    specification: Manifest = deployment["spec"]["template"]["spec"]
    return specification


@pytest.fixture(scope="module")
def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    return dict(only)


def environment_of(container: Manifest) -> dict[str, str]:
    return {row["name"]: row["value"] for row in container["env"]}


def test_it_holds_what_two_bridges_need(manifests: list[Manifest]) -> None:
    names = [(one["kind"], re.sub("-[a-z0-9]{10}$", "-HASH", one["metadata"]["name"])) for one in manifests]
    assert sorted(names) == [
        ("ConfigMap", "ts2mqtt-north-HASH"),
        ("ConfigMap", "ts2mqtt-south-HASH"),
        ("Deployment", "ts2mqtt-north"),
        ("Deployment", "ts2mqtt-south"),
        ("Namespace", "ts2mqtt"),
        ("NetworkPolicy", "ts2mqtt-north"),
        ("NetworkPolicy", "ts2mqtt-south"),
    ]


def test_everything_is_in_the_namespace_of_the_example(manifests: list[Manifest]) -> None:
    assert {one["metadata"].get("namespace") for one in manifests if one["kind"] != "Namespace"} == {"ts2mqtt"}


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_api_knows_every_key(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_key_would_be_seen(deployment: Manifest) -> None:
    wrong = deployment | {"spec": deployment["spec"] | {"replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, _VERSIONS[-1], strict=True)


def test_a_bridge_is_one_pod_that_ends_before_its_successor_begins(deployment: Manifest) -> None:
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    # The bridge itself takes up to 5 s for its last words.
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 5


def test_a_bridge_alone_is_left_when_the_other_is_removed(tmp_path: Path, bridge: str) -> None:
    folder = tmp_path / "deploy"
    shutil.copytree(_DEPLOY, folder)
    (other,) = set(BRIDGES) - {bridge}
    shutil.rmtree(folder / "example" / other)
    file = folder / "example" / "kustomization.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(f"  - {other}\n") == 1
    file.write_text(text.replace(f"  - {other}\n", ""), encoding="utf-8")
    names = {one["metadata"]["name"] for one in rendered(folder / "example") if one["kind"] == "Deployment"}
    assert names == {f"ts2mqtt-{bridge}"}


def test_a_change_of_one_configuration_starts_that_bridge_again_and_no_other(
    tmp_path: Path, manifests: list[Manifest], bridge: str
) -> None:
    folder = tmp_path / "deploy"
    shutil.copytree(_DEPLOY, folder)
    config = folder / "example" / bridge / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "log: {level: debug}\n", encoding="utf-8")
    changed = rendered(folder / "example")
    for name in BRIDGES:
        before, after = (named(both, "Deployment", f"ts2mqtt-{name}") for both in (manifests, changed))
        assert (before != after) is (name == bridge)


def test_every_pod_finds_its_files(config_map: Manifest, pod: Manifest, container: Manifest) -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    # The sign of life is all that it writes.
    assert [mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")] == ["tmp"]
    assert volumes["config"]["configMap"]["name"] == config_map["metadata"]["name"]
    assert environment_of(container)["TS2MQTT_CONFIG"] == f"{mounts['config']}/config.yaml"
    assert config_map["data"].keys() == {"config.yaml"}
    assert _PASSWORD_FILE in config_map["data"]["config.yaml"]
    assert Path(_PASSWORD_FILE).parent == Path(mounts["secrets"])
    # Group and others: readable for the group that the pod's processes have, which is fsGroup.
    assert volumes["secrets"]["secret"] == {"secretName": "ts2mqtt", "defaultMode": 0o440}


def test_no_secret_stands_in_the_environment(container: Manifest) -> None:
    assert environment_of(container).keys() == {f"{PREFIX}CONFIG"}


def test_a_pod_may_do_nothing_that_it_need_not(pod: Manifest, container: Manifest) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    for name in ("hostNetwork", "hostPID", "hostIPC", "serviceAccountName"):
        assert name not in pod
    security = pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"] == 10001
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize(
    ("probe", "options"), [("startupProbe", []), ("readinessProbe", ["--ready"]), ("livenessProbe", [])]
)
def test_only_readiness_is_asked_through_the_broker(container: Manifest, probe: str, options: list[str]) -> None:
    assert container[probe]["exec"] == {"command": ["ts2mqtt", "healthcheck", *options]}
    # The command itself gives up after 8 s without an answer.
    assert container[probe]["timeoutSeconds"] > 8


def test_the_sign_of_life_has_a_place_in_memory(deployment: Manifest, container: Manifest) -> None:
    (volume,) = [volume["name"] for volume in container["volumeMounts"] if volume["mountPath"] == "/tmp"]  # noqa: S108
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes[volume]["emptyDir"]["medium"] == "Memory"


def test_all_select_the_pod_of_their_bridge_and_no_other(
    manifests: list[Manifest], deployment: Manifest, bridge: str
) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/name": "ts2mqtt", "app.kubernetes.io/instance": bridge}
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    policy = named(manifests, "NetworkPolicy", f"ts2mqtt-{bridge}")
    assert policy["spec"]["podSelector"]["matchLabels"] == labels


def test_nobody_may_connect_and_only_dns_broker_and_rigs_be_reached(manifests: list[Manifest], bridge: str) -> None:
    policy = named(manifests, "NetworkPolicy", f"ts2mqtt-{bridge}")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy.get("ingress", []) == []
    assert [sorted({port["port"] for port in rule["ports"]}) for rule in policy["egress"]] == [
        [53],
        [1883, 8883],
        [8188],
    ]


@dataclass(frozen=True, slots=True)
class Published:
    """What a bridge with rigs of the same things publishes, listens to and proposes to Home Assistant."""

    topics: frozenset[str]
    filters: frozenset[str]
    """Of what a bridge learns, and `ts2mqtt clean` clears."""
    ids: frozenset[str]
    """Unique ids of entities, and identifiers of devices."""
    entity_ids: frozenset[str]


def published_by(config: Config) -> Published:
    names = DiscoveryIds(config.home_assistant.discovery_prefix, TopicNames(config.mqtt.base_topic))
    topics = names.topics
    states = {topics.status, topics.bridge, topics.heartbeat, topics.command, topics.removed("bridge")}
    devices = bridge_device_message(names)
    for configured in config.rigs:
        rig = replace(BACKYARD, id=configured.id, name=configured.name)
        states |= rig_messages(topics, view_of(rig, TONIGHT)).keys()
        states |= {topics.rig_event(rig.id), topics.rig_command(rig.id)}
        devices |= device_messages(names, rig, frozenset({"draft", "active", "inactive"}))
    payloads = [json.loads(message.payload) for message in devices.values()]
    entities = [component for payload in payloads for component in payload["components"].values()]
    identifiers = [identifier for payload in payloads for identifier in payload["device"]["identifiers"]]
    return Published(
        topics=frozenset(states | devices.keys()),
        filters=frozenset({f"{topics.base}/#", *names.filters}),
        ids=frozenset([*identifiers, *(entity["unique_id"] for entity in entities if "unique_id" in entity)]),
        entity_ids=frozenset(entity["default_entity_id"] for entity in entities if "default_entity_id" in entity),
    )


class TestTheTwoBridges:
    """Of the example, as ts2mqtt reads their configurations."""

    @pytest.fixture
    def configs(self, manifests: list[Manifest], tmp_path: Path) -> tuple[Config, ...]:
        return tuple(configurations(manifests, tmp_path))

    def test_have_one_broker_and_one_home_assistant(self, configs: tuple[Config, ...]) -> None:
        north, south = configs
        assert (north.mqtt.host, north.mqtt.port) == (south.mqtt.host, south.mqtt.port)
        assert north.home_assistant == south.home_assistant

    def test_log_in_with_client_ids_of_their_own(self, configs: tuple[Config, ...]) -> None:
        assert len({config.mqtt.client_id for config in configs}) == len(BRIDGES)

    def test_share_no_rig(self, configs: tuple[Config, ...]) -> None:
        north, south = ({url for rig in config.rigs for url in rig.urls} for config in configs)
        assert north
        assert south
        assert not north & south

    def test_share_neither_topics_nor_ids(self, configs: tuple[Config, ...]) -> None:
        north, south = map(published_by, configs)
        assert len(north.topics) == len(south.topics) > 20
        assert len(north.ids) == len(south.ids) > 20
        assert not north.topics & south.topics
        assert not north.ids & south.ids
        assert not north.entity_ids & south.entity_ids

    def test_share_no_topic_and_no_id_even_with_rigs_of_the_same_name(self, configs: tuple[Config, ...]) -> None:
        rigs = configs[0].rigs
        north, south = (published_by(config.model_copy(update={"rigs": rigs})) for config in configs)
        assert not north.topics & south.topics
        assert not north.ids & south.ids

    def test_neither_learns_nor_cleans_what_the_other_has_published(self, configs: tuple[Config, ...]) -> None:
        north, south = map(published_by, configs)
        for one, other in ((north, south), (south, north)):
            for pattern, topic in product(one.filters, one.topics | other.topics):
                assert not topic_matches_sub(pattern, topic) or topic in one.topics


def configurations(manifests: list[Manifest], folder: Path) -> Iterator[Config]:
    """What ts2mqtt reads in each pod; the password file is mounted elsewhere."""
    password = folder / "mqtt-password"
    password.write_text("secret", encoding="utf-8")
    password.chmod(0o600)
    for bridge in BRIDGES:
        text: str = named(manifests, "ConfigMap", f"ts2mqtt-{bridge}")["data"]["config.yaml"]
        file = folder / f"{bridge}.yaml"
        file.write_text(text.replace(_PASSWORD_FILE, str(password)), encoding="utf-8")
        loaded = load_config(file, {})
        assert loaded.warnings == ()
        yield loaded.config
