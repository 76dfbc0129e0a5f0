"""Absence is not deletion: the rules, one by one."""

from __future__ import annotations

import pytest

from tests.support.build import profile, project, rig, target
from ts2mqtt.observatory.absence import Parents, profile_is_gone, project_is_gone, target_is_gone
from ts2mqtt.observatory.model import Listing, Profile, Project, Rig, Target

NOWHERE = Parents()
IN_PROFILE = Parents(profile_id="profile")
IN_PROJECT = Parents(profile_id="profile", project_id="project")


def _profiles(*items: Profile, complete: bool = True) -> Rig:
    return rig(Listing(items, complete=complete))


def _projects(*items: Project, complete: bool = True) -> Listing[Project]:
    return Listing(items, complete=complete)


def _targets(*identities: str, complete: bool = True) -> Listing[Target]:
    return Listing(tuple(target(identity=identity) for identity in identities), complete=complete)


PROFILE_RULES = [
    ("nothing was read yet", rig(None), False),
    ("it is listed", _profiles(profile()), False),
    ("it is not listed", _profiles(profile("other")), True),
    ("no profile is listed", _profiles(), True),
    ("the list has holes", _profiles(profile("other"), complete=False), False),
]

PROJECT_RULES = [
    ("nothing was read yet", rig(None), IN_PROFILE, False),
    ("it is listed", _profiles(profile(projects=_projects(project()))), IN_PROFILE, False),
    ("it is not listed", _profiles(profile(projects=_projects(project("other")))), IN_PROFILE, True),
    ("its profile's list has holes", _profiles(profile(projects=_projects(complete=False))), IN_PROFILE, False),
    ("its profile's list was never read", _profiles(profile()), IN_PROFILE, False),
    ("its profile is gone", _profiles(profile("other")), IN_PROFILE, True),
    ("its profile is not listed in a list with holes", _profiles(complete=False), IN_PROFILE, False),
    (
        "another profile's list was not read, which does not matter",
        _profiles(profile(projects=_projects()), profile("other")),
        IN_PROFILE,
        True,
    ),
    (
        "it has moved to another profile",
        _profiles(profile(projects=_projects()), profile("other", _projects(project()))),
        IN_PROFILE,
        False,
    ),
    (
        "its profile is unknown, and all lists were read",
        _profiles(profile(projects=_projects()), profile("other", _projects())),
        NOWHERE,
        True,
    ),
    (
        "its profile is unknown, and one list was not read",
        _profiles(profile(projects=_projects()), profile("other")),
        NOWHERE,
        False,
    ),
    (
        "its profile is unknown, and one list has holes",
        _profiles(profile(projects=_projects()), profile("other", _projects(complete=False))),
        NOWHERE,
        False,
    ),
    (
        "its profile is unknown, and the list of profiles has holes",
        _profiles(profile(projects=_projects()), complete=False),
        NOWHERE,
        False,
    ),
    ("its profile is unknown, and it is listed", _profiles(profile(projects=_projects(project()))), NOWHERE, False),
]


def _with_targets(targets: Listing[Target] | None, *others: Project) -> Rig:
    return _profiles(profile(projects=_projects(project(targets=targets), *others)))


TARGET_RULES = [
    ("nothing was read yet", rig(None), IN_PROJECT, False),
    ("it is listed", _with_targets(_targets("target")), IN_PROJECT, False),
    ("it is not listed", _with_targets(_targets("other")), IN_PROJECT, True),
    ("its project's list has holes", _with_targets(_targets(complete=False)), IN_PROJECT, False),
    ("its project's list was never read", _with_targets(None), IN_PROJECT, False),
    (
        "another project's list was not read, which does not matter",
        _with_targets(_targets(), project("other")),
        IN_PROJECT,
        True,
    ),
    (
        "it has moved to another project",
        _with_targets(_targets(), project("other", _targets("target"))),
        IN_PROJECT,
        False,
    ),
    ("its project is gone", _profiles(profile(projects=_projects(project("other")))), IN_PROJECT, True),
    ("its project's list of siblings was never read", _profiles(profile()), IN_PROJECT, False),
    (
        "its project's list of siblings has holes",
        _profiles(profile(projects=_projects(complete=False))),
        IN_PROJECT,
        False,
    ),
    ("its profile is gone", _profiles(profile("other")), IN_PROJECT, True),
    ("its profile is not listed in a list with holes", _profiles(complete=False), IN_PROJECT, False),
    ("its project is unknown, and all lists were read", _with_targets(_targets("other")), NOWHERE, True),
    ("its project is unknown, and one list has holes", _with_targets(_targets(complete=False)), NOWHERE, False),
    (
        "its project is unknown, and one list was not read",
        _with_targets(_targets(), project("other")),
        NOWHERE,
        False,
    ),
    ("its project is unknown, and a profile's list was not read", _profiles(profile()), NOWHERE, False),
    (
        "its project is known and gone, but its profile is unknown and a list was not read",
        _profiles(profile(projects=_projects()), profile("other")),
        Parents(project_id="project"),
        False,
    ),
    (
        "its project is known and gone, and every list was read",
        _profiles(profile(projects=_projects())),
        Parents(project_id="project"),
        True,
    ),
]


@pytest.mark.parametrize(("seen", "gone"), [rule[1:] for rule in PROFILE_RULES], ids=[r[0] for r in PROFILE_RULES])
def test_a_profile_is_gone(seen: Rig, gone: bool) -> None:
    assert profile_is_gone(seen, "profile") is gone


@pytest.mark.parametrize(
    ("seen", "parents", "gone"), [rule[1:] for rule in PROJECT_RULES], ids=[r[0] for r in PROJECT_RULES]
)
def test_a_project_is_gone(seen: Rig, parents: Parents, gone: bool) -> None:
    assert project_is_gone(seen, "project", parents) is gone


@pytest.mark.parametrize(
    ("seen", "parents", "gone"), [rule[1:] for rule in TARGET_RULES], ids=[r[0] for r in TARGET_RULES]
)
def test_a_target_is_gone(seen: Rig, parents: Parents, gone: bool) -> None:
    assert target_is_gone(seen, "target", parents) is gone
