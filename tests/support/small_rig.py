"""A small simulated rig, and what a simulated rig's API answers, written out beforehand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENING = datetime(2026, 1, 10, 20, tzinfo=UTC)


def small_rig() -> SimulatedObservatory:
    """Three Active projects and a Draft, of one target with two exposure plans each."""
    observatory = SimulatedObservatory(now=EVENING, timezone=UTC)
    profile = observatory.add_profile("Refractor")
    for name, state in (("Galaxy", "Active"), ("Nebula", "Active"), ("Cluster", "Active"), ("Later", "Draft")):
        project = observatory.add_project(profile, name, state=state)
        target = observatory.add_target(project, name, ra_hours=5.5, dec_deg=22.0)
        for template in ("Lum", "Red"):
            observatory.add_exposure_plan(target, template, exposure_s=120, desired=60)
    return observatory


def written_answers(observatory: SimulatedObservatory) -> Mapping[str, bytes]:
    """By path below the API's root, without the preview; nothing at all is what the plugin sends where it fails."""
    profile = observatory.active_profile
    answers = {
        "/version": observatory.version_answer(),
        "/profiles": observatory.profiles_answer(),
        f"/profiles/{profile.id}/projects": observatory.projects_answer(profile.id),
    }
    for project in observatory.projects():
        answers[f"/projects/{project.id}/targets"] = observatory.targets_answer(project.id)
        for target in project.targets:
            answers[f"/targets/{target.id}/statistics"] = observatory.statistics_answer(target.id)
    return {path: b"" if answer is None else json.dumps(answer).encode() for path, answer in answers.items()}
