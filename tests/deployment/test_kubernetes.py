"""What `kubectl kustomize` makes of deploy/kubernetes is valid, safe, and counts its replicas in one place."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.conftest import need
from tests.support.project import ROOT
from ts2mqtt.bridge.sharding import Shard
from ts2mqtt.config import load_config
from ts2mqtt.config.keys import PREFIX

_DEPLOY = ROOT / "deploy" / "kubernetes"
_VERSIONS = ("1.30.0", kubernetes_validate.latest_version())
_PASSWORD_FILE = "/run/secrets/ts2mqtt/mqtt-password"  # noqa: S105 - where it stands, not what it is

Manifest = dict[str, Any]


def rendered(folder: Path) -> dict[str, Manifest]:
    """By kind."""
    need("kubectl with kustomize 4.2 or newer", is_there=knows_replacements())
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(kubectl("kustomize", str(folder)))}


def kubectl(*arguments: str) -> str:
    return subprocess.run(["kubectl", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S603, S607


def knows_replacements() -> bool:
    """An older kubectl does not tell the version of its kustomize at all."""
    if shutil.which("kubectl") is None:
        return False
    found = re.search(r"Kustomize Version: v(\d+)\.(\d+)", kubectl("version", "--client"))
    return found is not None and (int(found[1]), int(found[2])) >= (4, 2)


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    return rendered(_DEPLOY / "example")


@pytest.fixture(scope="module")
def pod(manifests: dict[str, Manifest]) -> Manifest:
    found: Manifest = manifests["StatefulSet"]["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def container(pod: Manifest) -> Manifest:
    (found,) = pod["containers"]
    return dict(found)


def environment_of(container: Manifest, pod_name: str) -> dict[str, str]:
    """As Kubernetes sets it for one pod."""
    return {row["name"]: row["value"] for row in container["env"]} | {"HOSTNAME": pod_name}


def test_it_holds_what_a_replica_needs(manifests: dict[str, Manifest]) -> None:
    assert manifests.keys() == {
        "Namespace",
        "ConfigMap",
        "Service",
        "StatefulSet",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_api_knows_every_key(manifests: dict[str, Manifest], version: str) -> None:
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_key_would_be_seen(manifests: dict[str, Manifest]) -> None:
    wrong = manifests["StatefulSet"] | {"spec": manifests["StatefulSet"]["spec"] | {"replica": 4}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, _VERSIONS[-1], strict=True)


@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_number_of_replicas_stands_in_one_place(tmp_path: Path, count: int) -> None:
    folder = tmp_path / "deploy"
    shutil.copytree(_DEPLOY, folder)
    file = folder / "example" / "kustomization.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("count: 4") == 1
    file.write_text(text.replace("count: 4", f"count: {count}"), encoding="utf-8")
    stateful_set = rendered(folder / "example")["StatefulSet"]
    assert stateful_set["spec"]["replicas"] == count
    (container,) = stateful_set["spec"]["template"]["spec"]["containers"]
    for index in range(count):
        assert shard_of(container, f"ts2mqtt-{index}", tmp_path) == Shard(index, count)


def shard_of(container: Manifest, pod_name: str, folder: Path) -> Shard | None:
    """What ts2mqtt reads in this pod; the password file is mounted elsewhere."""
    config = (_DEPLOY / "example" / "config.yaml").read_text(encoding="utf-8")
    password = folder / "mqtt-password"
    password.write_text("secret", encoding="utf-8")
    password.chmod(0o600)
    written = folder / "config.yaml"
    written.write_text(config.replace(_PASSWORD_FILE, str(password)), encoding="utf-8")
    loaded = load_config(written, environment_of(container, pod_name))
    assert loaded.warnings == ()
    return loaded.config.shard


def test_every_pod_finds_its_files(manifests: dict[str, Manifest], pod: Manifest, container: Manifest) -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    config_map = manifests["ConfigMap"]
    assert volumes["config"]["configMap"]["name"] == config_map["metadata"]["name"]
    assert environment_of(container, "")["TS2MQTT_CONFIG"] == f"{mounts['config']}/config.yaml"
    assert config_map["data"].keys() == {"config.yaml"}
    assert _PASSWORD_FILE in config_map["data"]["config.yaml"]
    assert Path(_PASSWORD_FILE).parent == Path(mounts["secrets"])
    # Group and others: readable for the group that the pod's processes have, which is fsGroup.
    assert volumes["secrets"]["secret"]["defaultMode"] == 0o440


def test_no_secret_stands_in_the_environment(container: Manifest) -> None:
    assert {row["name"] for row in container["env"]} == {f"{PREFIX}SHARD", f"{PREFIX}CONFIG"}


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


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_health_is_what_the_bridge_hears_of_itself(container: Manifest, probe: str) -> None:
    assert container[probe]["exec"] == {"command": ["ts2mqtt", "healthcheck"]}
    # The command itself gives up after 8 s without an answer.
    assert container[probe]["timeoutSeconds"] > 8


def test_all_select_the_same_pods(manifests: dict[str, Manifest]) -> None:
    labels = manifests["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert manifests["StatefulSet"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert manifests["Service"]["spec"]["selector"] == labels


def test_nobody_may_connect_and_only_dns_broker_and_rigs_be_reached(manifests: dict[str, Manifest]) -> None:
    policy = manifests["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy.get("ingress", []) == []
    assert [sorted({port["port"] for port in rule["ports"]}) for rule in policy["egress"]] == [
        [53],
        [1883, 8883],
        [8188],
    ]


def test_at_most_one_replica_moves_at_a_time(manifests: dict[str, Manifest]) -> None:
    assert manifests["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
