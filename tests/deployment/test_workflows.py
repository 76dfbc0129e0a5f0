"""What the workflows run is pinned, has no more rights than it needs, and publishes in the right order."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT, recipe

WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
# YAML 1.1 reads the key `on` as true.
PARSED: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in WORKFLOWS.items()}
RELEASE: dict[str, dict[str, Any]] = PARSED["release.yml"]["jobs"]
# Trusted publishing, the image, the program for Windows, the app's version, and the proposal of newer packages.
MAY_WRITE = {
    ("release.yml", "pypi"): {"id-token"},
    ("release.yml", "image"): {"packages"},
    ("release.yml", "app-image"): {"packages"},
    ("release.yml", "github-release"): {"contents"},
    ("release.yml", "add-on"): {"contents"},
    ("lock.yml", "lock"): {"contents", "pull-requests"},
}


def steps(uses: str) -> list[dict[str, Any]]:
    """Of all jobs of all workflows, those that use this action."""
    jobs = [job for workflow in PARSED.values() for job in workflow["jobs"].values()]
    return [step for job in jobs for step in job.get("steps", ()) if step.get("uses", "").startswith(f"{uses}@")]


def needed(job: str) -> set[str]:
    """The jobs that end before this one begins."""
    needs = RELEASE[job].get("needs", [])
    names = [needs] if isinstance(needs, str) else needs
    return set(names).union(*map(needed, names))


def scripts(job: str) -> str:
    return "\n".join(step.get("run", "") for step in RELEASE[job]["steps"])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(name: str) -> None:
    used = re.findall(r"^ *-? *uses: (.+)$", WORKFLOWS[name], re.MULTILINE)
    assert used
    unpinned = [
        action
        for action in used
        if not action.startswith("./") and not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
    ]
    assert unpinned == []


def test_one_action_has_one_commit() -> None:
    pins = {pin for text in WORKFLOWS.values() for pin in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40} # \S+)", text)}
    assert len({action for action, _ in pins}) == len(pins)


def test_only_what_publishes_may_write_and_only_in_its_own_job() -> None:
    writing: dict[tuple[str, str], set[str]] = {}
    for name, workflow in PARSED.items():
        assert workflow["permissions"] == {"contents": "read"}, name
        for job_name, job in workflow["jobs"].items():
            if rights := {right for right, degree in job.get("permissions", {}).items() if degree == "write"}:
                writing[name, job_name] = rights
    assert writing == MAY_WRITE


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = steps("actions/checkout")
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_is_published_before_all_tests_have_passed() -> None:
    for job in ("pypi", "image", "github-release", "add-on"):
        assert "ci" in needed(job)


def test_the_app_is_offered_once_its_images_are_there_and_they_have_the_released_package() -> None:
    assert needed("add-on") >= {"pypi", "image", "app-image", "package"}
    assert "make addon WHEEL=" in scripts("app-image")
    (build,) = [step for step in RELEASE["app-image"]["steps"] if "build-args" in step.get("with", {})]
    assert build["with"]["context"] == "dist/addon"
    assert build["with"]["build-args"].splitlines() == [
        "BUILD_VERSION=${{ needs.version.outputs.version }}",
        "BUILD_ARCH=${{ matrix.arch }}",
    ]


def test_image_and_package_have_their_provenance_and_the_image_its_list_of_contents() -> None:
    images = steps("docker/build-push-action")
    assert len(images) == 2
    for image in images:
        assert image["with"]["sbom"] is True
        assert image["with"]["provenance"] == "mode=max"
    (package,) = steps("pypa/gh-action-pypi-publish")
    assert package["with"]["attestations"] is True
    assert RELEASE["pypi"]["permissions"]["id-token"] == "write"
    assert "password" not in package["with"]


def test_what_is_published_is_built_by_packages_with_hashes() -> None:
    for job in ("package", "windows-program"):
        assert "pip install --require-hashes" in scripts(job)


def test_the_workflows_are_searched_for_what_an_attacker_could_use() -> None:
    (zizmor,) = [line for line in recipe("lint-workflows") if "zizmor" in line]
    assert "--offline" in zizmor
    assert zizmor.endswith(".github")


def test_no_finding_is_ignored_without_a_reason_above_it() -> None:
    for text in WORKFLOWS.values():
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if "zizmor: ignore" in line:
                assert lines[number - 1].strip().startswith("#")


def test_the_names_to_reserve_are_those_that_the_release_publishes_under() -> None:
    security = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    names = security.partition("\n## Names to reserve before the repository is public\n")[2]
    images = [step["with"]["images"] for step in steps("docker/metadata-action")]
    # The app's lie beside it, and so with the same owner.
    assert images == ["ghcr.io/${{ github.repository }}", "ghcr.io/${{ github.repository }}-${{ matrix.arch }}"]
    assert "`ghcr.io/OWNER/ts2mqtt`" in names
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    assert f"| `{project}` | PyPI |" in names
    assert f"| `{RELEASE['pypi']['environment']}` | GitHub, environments" in names
    (tags,) = PARSED["release.yml"][True]["push"]["tags"]
    assert f"| `{tags}` | GitHub, tag rules" in names
    assert "release.yml" in names
