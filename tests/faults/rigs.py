"""A simulated rig whose database is changed at random and whose API is disturbed, and what is true of it."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

    from ts2mqtt.simulator.faults import Exchange
    from ts2mqtt.simulator.http1 import Answer
    from ts2mqtt.simulator.rows import SimulatedProfile, SimulatedProject, SimulatedTarget

_serial = count()
_STATES = ("Draft", "Active", "Inactive", "Closed")
_NAMES = ("M 31", "NGC 7000 / Hα", "#+", "{{ now() }}", "\x1b[31mred", "", "Ünïcødé ✨", 'a "quoted" name', "M 31")
_PATTERNS = ("*", "/profiles", "/profiles/*/projects", "/projects/*/targets", "/targets/*/statistics", "/version")
_GARBAGE = (b"[{", b"null", b'{"a": 1}', b"[1, null, {}]", b"\xff\xfe", b"[" * 5_000, b'[{"Id": "../#"}]')


class RandomRig:
    """`disturb` and `change` do one thing at random each; `make_well` ends every disturbance."""

    def __init__(
        self, rig_id: str, name: str, seed: int, chance: random.Random, clock: Callable[[], datetime]
    ) -> None:
        self.id, self.name = rig_id, name
        self.observatory = SimulatedObservatory(seed=seed, now=clock())
        self.api = SimulatedApi(self.observatory, clock=clock)
        self.urls: tuple[str, ...] = ()
        self._other_port = 0
        self._chance = chance
        self._ever_closed: set[str] = set()
        for _ in range(chance.randint(1, 2)):
            self._add_profile()

    async def start(self) -> None:
        """Two ports are its: that of one N.I.N.A. profile and that of another."""
        self._other_port, self.api.port = _lasting_ports()
        await self.api.start()
        self.urls = (self.api.url, f"http://127.0.0.1:{self._other_port}")

    async def stop(self) -> None:
        await self.api.stop()

    async def make_well(self) -> None:
        self.api.faults.clear()
        if not self.api.is_listening:
            await self.api.start()

    async def disturb(self) -> str:
        choice = self._chance
        match choice.choice(("off", "off", "other port", "cut", "fault", "fault", "fault", "fault", "well", "well")):
            case "off":
                await self.api.stop()
                return "is switched off"
            case "other port":
                await self.api.stop()
                self.api.port, self._other_port = self._other_port, self.api.port
                await self.api.start()
                return "moves to its other port"
            case "cut":
                await self.api.close_connections()
                return "cuts its connections"
            case "fault":
                pattern = choice.choice(_PATTERNS)
                faults = _faults(choice)
                name = choice.choice((*faults, *["unreadable rows"] * 5, "500"))
                fault = faults[name]
                self.api.faults.add(pattern, fault, times=choice.choice((1, 1, 2, 5, None)))
                return f"answers {pattern} with {name}"
            case _:
                await self.make_well()
                return "is well"

    def answer_in_part(self) -> str:
        """Until all is well, some rows of some lists cannot be read."""
        pattern = self._chance.choice(_PATTERNS)
        self.api.faults.add(pattern, _faults(self._chance)["unreadable rows"])
        return f"answers {pattern} with unreadable rows"

    def remove(self) -> str:
        """Removes something from the database."""
        change = self._chance.choice((self._remove_project, self._remove_target, self._remove_exposure_plan))
        change()
        return change.__name__.replace("_", " ").strip()

    def change(self) -> str:
        """Changes something in the database, by one of its user's ways."""
        changes = (
            *(self._add_project, self._add_target, self._add_exposure_plan, self._remove_project),
            *(self._remove_target, self._remove_exposure_plan, self._rename, self._set_state, self._set_state),
            *(self._move_target, self._move_project, self._acquire, self._acquire, self._acquire, self._reset),
            *(self._add_profile, self._remove_profile, self._activate_profile, self._edit),
        )
        change = self._chance.choice(changes)
        change()
        return change.__name__.replace("_", " ").strip()

    def exists(self, subject: Subject) -> bool:
        observatory = self.observatory
        match subject.kind:
            case None:
                return True
            case "profile":
                return any(row.id == subject.thing_id for row in observatory.profiles)
            case "project":
                return any(row.id == subject.thing_id for row in observatory.projects())
            case _:
                return any(row.id == subject.thing_id for row in observatory.targets())

    def is_shown(self, subject: Subject) -> bool:
        """Whether it exists and has been in sight of Home Assistant all the time."""
        if not self.exists(subject):
            return False
        match subject.kind:
            case "project":
                return subject.thing_id not in self._ever_closed
            case "target":
                project = next(
                    project
                    for project in self.observatory.projects()
                    if any(target.id == subject.thing_id for target in project.targets)
                )
                return project.id not in self._ever_closed
            case _:
                return True

    def subjects(self) -> list[Subject]:
        return [
            *(Subject(self.id, PROFILE, row.id) for row in self.observatory.profiles),
            *(Subject(self.id, PROJECT, row.id) for row in self.observatory.projects()),
            *(Subject(self.id, TARGET, row.id) for row in self.observatory.targets()),
        ]

    def _name(self) -> str:
        return self._chance.choice(_NAMES)

    def _add_profile(self) -> None:
        if len(self.observatory.profiles) > 3:
            return
        profile = self.observatory.add_profile(self._name())
        for _ in range(self._chance.randint(0, 2)):
            self._fill(self.observatory.add_project(profile, self._name(), state=self._state()))

    def _add_project(self) -> None:
        if len(list(self.observatory.projects())) > 6:
            return
        profile = self._chance.choice(self.observatory.profiles)
        self._fill(self.observatory.add_project(profile, self._name(), state=self._state()))

    def _fill(self, project: SimulatedProject) -> None:
        self._note_state(project)
        for _ in range(self._chance.randint(0, 2)):
            target = self.observatory.add_target(project, self._name(), ra_hours=5.0, dec_deg=20.0)
            for _ in range(self._chance.randint(0, 2)):
                self.observatory.add_exposure_plan(target, self._chance.choice(("Lum", "Ha")))

    def _state(self) -> str:
        return self._chance.choice(_STATES)

    def _note_state(self, project: SimulatedProject) -> None:
        if project.state == "Closed":
            self._ever_closed.add(project.id)

    def _add_target(self) -> None:
        if projects := list(self.observatory.projects()):
            target = self.observatory.add_target(self._chance.choice(projects), self._name())
            self.observatory.add_exposure_plan(target, "Lum")

    def _add_exposure_plan(self) -> None:
        if targets := list(self.observatory.targets()):
            self.observatory.add_exposure_plan(self._chance.choice(targets), self._chance.choice(("Lum", "Ha", "O3")))

    def _remove_project(self) -> None:
        if projects := list(self.observatory.projects()):
            self.observatory.remove_project(self._chance.choice(projects))

    def _remove_target(self) -> None:
        if targets := list(self.observatory.targets()):
            self.observatory.remove_target(self._chance.choice(targets))

    def _remove_exposure_plan(self) -> None:
        if targets := [target for target in self.observatory.targets() if target.exposure_plans]:
            self.observatory.remove_exposure_plan(self._chance.choice(targets), 0)

    def _rename(self) -> None:
        rows: list[SimulatedProfile | SimulatedProject | SimulatedTarget]
        rows = [*self.observatory.profiles, *self.observatory.projects(), *self.observatory.targets()]
        self.observatory.rename(self._chance.choice(rows), self._name())

    def _set_state(self) -> None:
        if projects := list(self.observatory.projects()):
            project = self._chance.choice(projects)
            self.observatory.set_project_state(project, self._state())
            self._note_state(project)

    def _move_target(self) -> None:
        projects, targets = list(self.observatory.projects()), list(self.observatory.targets())
        if targets:
            self.observatory.move_target(self._chance.choice(targets), self._chance.choice(projects))

    def _move_project(self) -> None:
        if projects := list(self.observatory.projects()):
            project = self._chance.choice(projects)
            self.observatory.move_project(project, self._chance.choice(self.observatory.profiles))
            self._note_state(project)

    def _acquire(self) -> None:
        if targets := [target for target in self.observatory.targets() if target.exposure_plans]:
            hfr = self._chance.choice((None, 2.1, 2.3))
            accepted = self._chance.choice((None, True, False))
            self.observatory.acquire(self._chance.choice(targets), 0, accepted=accepted, hfr=hfr, fwhm=3.0)

    def _reset(self) -> None:
        """The user begins an exposure plan anew."""
        if targets := [target for target in self.observatory.targets() if target.exposure_plans]:
            plan = self._chance.choice(targets).exposure_plans[0]
            plan.acquired = plan.accepted = 0
            plan.images.clear()

    def _remove_profile(self) -> None:
        if gone := [profile for profile in self.observatory.profiles if not profile.active]:
            self.observatory.remove_profile(self._chance.choice(gone))

    def _activate_profile(self) -> None:
        self.observatory.activate_profile(self._chance.choice(self.observatory.profiles))

    def _edit(self) -> None:
        """A field that this version does not know, or one that it does."""
        rows = [*self.observatory.profiles, *self.observatory.projects(), *self.observatory.targets()]
        field, value = self._chance.choice((("MoonPhase", 0.5), ("Priority", 2), ("ROI", 50), ("Name", "x" * 300)))
        self._chance.choice(rows).raw[field] = value


def _lasting_ports() -> tuple[int, int]:
    """Two that nobody else is given meanwhile: below those that the system hands out, and this process' own."""
    found: list[int] = []
    while len(found) < 2:
        number = next(_serial)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", 12_000 + os.getpid() % 20 * 1_000 + number % 1_000))
            found.append(probe.getsockname()[1])
    return found[0], found[1]


def _faults(chance: random.Random) -> dict[str, Fault]:
    return {
        "unreadable rows": Fault(partial(_with_unreadable_rows, chance)),
        "500": Fault.status(500),
        "404": Fault.status(404),
        "a web page": Fault.html(),
        "nothing": Fault.empty(),
        "false gzip": Fault.invalid_gzip(),
        "a pause": Fault.delay(chance.choice((1.0, 15.0, 40.0))),
        "silence": Fault.hang(),
        "half an answer": Fault.truncate(chance.choice((0, 1, 40))),
        "a reset": Fault.reset(),
        "garbage": Fault.body(chance.choice(_GARBAGE)),
        "two megabytes": Fault.endless(megabytes=2),
    }


async def _with_unreadable_rows(chance: random.Random, exchange: Exchange) -> Answer:
    """The true answer, but that some of a list's rows have an id that is none."""
    answer = await exchange.regular_answer()
    try:
        rows = json.loads(answer.body)
    except ValueError:
        return answer
    if isinstance(rows, list):
        rows = [{**row, "Id": 7} if isinstance(row, dict) and chance.random() < 0.5 else row for row in rows]
    return replace(answer, body=json.dumps(rows).encode())
