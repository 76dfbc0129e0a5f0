"""Home Assistant's own `rest` sensors for a rig, as somebody who knows them well would write them in YAML.

Each list of the API is a resource of its own with all its sensors on it, so that it is asked for once a scan; all of
them, the preview too, are scanned alike. They show what ts2mqtt shows by default of profiles, projects, targets and
exposure plans. Left out is what no such sensor can show, because it takes several lists or a memory (a profile's
totals, activity, tonight's tally, events, the picture) or the rig's clock, which a simulated one is (current and next
target); and what is of no use: closed projects, and statistics that the plugin cannot give.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedProfile, SimulatedProject, SimulatedTarget

_ALL_PLANS = "value_json | map(attribute='ExposurePlan') | sum(start=[])"
_WANTED = "([p.Desired - p.Accepted, 0] | max)"


@dataclass(slots=True)
class _Resource:
    """One address, and what is made of its answer."""

    path: str
    sensors: list[dict[str, str]] = field(default_factory=list)
    binary_sensors: list[dict[str, str]] = field(default_factory=list)

    def text(self, name: str, value: str) -> None:
        self.sensors.append(_entity(name, f"{{{{ {value} }}}}"))

    def truth(self, name: str, value: str) -> None:
        self.binary_sensors.append(_entity(name, f"{{{{ {value} }}}}"))

    def moment(self, name: str, value: str) -> None:
        self.sensors.append(_entity(name, f"{{{{ {value} }}}}") | {"device_class": "timestamp"})

    def measure(self, name: str, template: str, unit: str) -> None:
        what = {"state_class": "measurement", "unit_of_measurement": unit}
        self.sensors.append(_entity(name, template) | what)

    def exposures(self, name: str, plans: str, key: str) -> None:
        self.measure(f"{name} {key.lower()}", f"{_named(plans)}{{{{ {_sum(key)} }}}}", "exposures")

    def share(self, name: str, plans: str) -> None:
        """Completion of a project."""
        share = f"{{{{ (100 * {_sum('Accepted')} / ({_sum('Desired')} or 1)) | round(2) }}}}"
        self.measure(f"{name} completion", _named(plans) + share, "%")

    def completion(self, name: str, plans: str) -> None:
        """As the plugin shows it for targets and exposure plans: what still waits for its grading counts as done."""
        done = "[100 * (p.Acquired if p.Ungraded > 0 else p.Accepted) / (p.Desired or 1), 100] | min"
        self.measure(f"{name} completion", f"{_added(plans, done)}{{{{ (n.s / plans | count) | round(2) }}}}", "%")

    def hours(self, name: str, plans: str, count: str) -> None:
        template = f"{_added(plans, f'{count} * p.Exposure')}{{{{ (n.s / 3600) | round(3) }}}}"
        self.measure(name, template, "h")


def configuration(observatory: SimulatedObservatory, url: str, scan_interval_s: float) -> str:
    """The YAML for Home Assistant's configuration."""
    resources = [
        {
            "resource": f"{url}/ts/v0{resource.path}",
            "scan_interval": scan_interval_s,
            "sensor": resource.sensors,
            "binary_sensor": resource.binary_sensors,
        }
        for resource in _resources(observatory)
    ]
    return yaml.safe_dump({"rest": resources}, allow_unicode=True)


def _resources(observatory: SimulatedObservatory) -> Iterator[_Resource]:
    version = _Resource("/version")
    version.text("Target Scheduler version", "value_json")
    yield version
    profiles = _Resource("/profiles")
    profiles.text("Active profile", "value_json | selectattr('Active') | map(attribute='Name') | first")
    for profile in observatory.profiles:
        profiles.truth(f"{profile.name} active", f"{_row(profile.id)}.Active")
    yield profiles
    for profile in observatory.profiles:
        yield _projects(profile)
        for project in _shown(profile):
            yield _targets(project)
            for target in project.targets:
                if observatory.statistics_answer(target.id) is not None:
                    yield _statistics(target)
    yield _preview(observatory.active_profile)


def _projects(profile: SimulatedProfile) -> _Resource:
    resource = _Resource(f"/profiles/{profile.id}/projects")
    count = "{{ value_json | selectattr('State', 'eq', 'Active') | list | count }}"
    resource.measure(f"{profile.name} active projects", count, "projects")
    for project in _shown(profile):
        for key in ("State", "Priority"):
            resource.text(f"{project.name} {key.lower()}", f"{_row(project.id)}.{key}")
    return resource


def _targets(project: SimulatedProject) -> _Resource:
    resource = _Resource(f"/projects/{project.id}/targets")
    name = f"Project {project.name}"
    resource.share(name, _ALL_PLANS)
    for key in ("Accepted", "Desired"):
        resource.exposures(name, _ALL_PLANS, key)
    _integration(resource, name, _ALL_PLANS)
    for target in project.targets:
        row = _row(target.id)
        resource.truth(f"{target.name} active", f"{row}.Active")
        resource.completion(target.name, f"{row}.ExposurePlan")
        _integration(resource, target.name, f"{row}.ExposurePlan")
        resource.text(f"{target.name} right ascension", f"{row}.RA")
        resource.text(f"{target.name} declination", f"{row}.Dec")
        for index, plan in enumerate(target.exposure_plans):
            name, plans = f"{target.name} {plan.template_name}", f"[{row}.ExposurePlan[{index}]]"
            resource.completion(name, plans)
            resource.exposures(name, plans, "Accepted")
            resource.hours(f"{name} remaining", plans, _WANTED)
    return resource


def _integration(resource: _Resource, name: str, plans: str) -> None:
    resource.hours(f"{name} accepted integration", plans, "p.Accepted")
    resource.hours(f"{name} remaining integration", plans, _WANTED)


def _statistics(target: SimulatedTarget) -> _Resource:
    """Its rows stand in the order of the exposure plans."""
    resource = _Resource(f"/targets/{target.id}/statistics")
    for index, plan in enumerate(target.exposure_plans):
        template = f"{{{{ value_json[{index}].HFRMean | round(2) or none }}}}"
        resource.measure(f"{target.name} {plan.template_name} HFR", template, "px")
    return resource


def _preview(profile: SimulatedProfile) -> _Resource:
    resource = _Resource(f"/profiles/{profile.id}/preview")
    blocks = "value_json | rejectattr('WaitPeriod') | map(attribute='{}') | list | {} | default(none)"
    resource.moment("Night plan start", blocks.format("StartTime", "first"))
    resource.moment("Night plan end", blocks.format("EndTime", "last"))
    loop = (
        "{% set n = namespace(s=0) %}{% for b in value_json if not b.WaitPeriod %}"
        "{% set n.s = n.s + (as_datetime(b.EndTime) - as_datetime(b.StartTime)).total_seconds() %}{% endfor %}"
    )
    resource.measure("Planned imaging", f"{loop}{{{{ (n.s / 3600) | round(3) }}}}", "h")
    for project in _shown(profile):
        for target in project.targets:
            of_target = f"value_json | selectattr('Id', 'eq', '{target.id}')"
            for what, key, which in (("start", "StartTime", "first"), ("end", "EndTime", "last")):
                value = f"{of_target} | map(attribute='{key}') | list | {which} | default(none)"
                resource.moment(f"{target.name} scheduled {what}", value)
    return resource


def _shown(profile: SimulatedProfile) -> Iterator[SimulatedProject]:
    return (project for project in profile.projects if project.state != "Closed")


def _row(identity: str) -> str:
    return f"(value_json | selectattr('Id', 'eq', '{identity}') | first)"


def _named(plans: str) -> str:
    return f"{{% set plans = {plans} %}}"


def _added(plans: str, value: str) -> str:
    """The sum of it over the plans, in n.s."""
    loop = f"{{% for p in plans %}}{{% set n.s = n.s + ({value}) %}}{{% endfor %}}"
    return f"{_named(plans)}{{% set n = namespace(s=0) %}}{loop}"


def _sum(key: str) -> str:
    return f"(plans | sum(attribute='{key}'))"


def _entity(name: str, template: str) -> dict[str, str]:
    return {"name": name, "unique_id": name, "value_template": template}
