"""What goes wrong with one rig, each failure under the name of what was read."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ts2mqtt.errors import RigError, RigGoneError
from ts2mqtt.logs.failures import KEEPS_TRYING, FailureLog
from ts2mqtt.logs.tallies import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Set as AbstractSet

    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.logs.tallies import Tallies
    from ts2mqtt.observatory.model import Profile, Project, Target
    from ts2mqtt.timing import Clock

_LOG = logging.getLogger(__name__)

_MOST_FAULTS_TOLD = 3

_SILENT_RIGS = Kind("rigs that do not answer")
_UNREAD = Kind("what could not be read from rigs")
_ODD_ANSWERS = Kind("answers of rigs in which something cannot be read")
_MIXED_UP = Kind("rigs whose answers are mixed up")
_ODDITIES = Kind("oddities in the databases of rigs")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a failure is about; it stays the same one when what has this id is renamed."""

    what: str
    name: str | None = None
    thing_id: str | None = None

    @classmethod
    def projects_of(cls, profile: Profile) -> Self:
        return cls("projects of profile", profile.name, profile.id)

    @classmethod
    def targets_of(cls, project: Project) -> Self:
        return cls("targets of project", project.name, project.id)

    @classmethod
    def statistics_of(cls, target: Target) -> Self:
        return cls("statistics of target", target.name, target.id)

    def __str__(self) -> str:
        return self.what if self.name is None else f"{self.what} {self.name!r}"


@dataclass(frozen=True, slots=True)
class _Key:
    """Tells streaks of failures apart: `in_answer` is set where an answer came, and something in it is wrong."""

    what: str
    thing_id: str | None
    in_answer: bool = False


class RigFailures:
    """The failures of one rig as a whole, of its lists, and of what stands in their answers."""

    def __init__(self, rig_name: str, clock: Clock, tallies: Tallies | None = None) -> None:
        self._rig_name = rig_name
        self._log = FailureLog(_LOG, clock, tallies)
        self._said: dict[str, str] = {}
        self._has_answered = False

    @property
    def latest(self) -> Failure | None:
        """Of all that goes wrong now, what was told last."""
        return self._log.latest

    def no_answer(self, error: RigError) -> None:
        """The rig as a whole does not answer."""
        hint = "" if self._has_answered else f"; {KEEPS_TRYING}"
        self._log.failed(self._rig_name, f"the API does not answer: {error}{hint}", kind=_SILENT_RIGS)

    def answered(self) -> None:
        """The rig as a whole answers."""
        self._has_answered = True
        self._log.succeeded(self._rig_name)

    @contextmanager
    def reading(self, subject: Subject) -> Iterator[None]:
        """Takes a failure of the block as one of this subject alone: what was known of it before stands.

        Lets RigGoneError through: a PC that went away in the middle of a look is told of once, as the rig's failure.
        """
        name, key = f"{self._rig_name}, {subject}", _Key(subject.what, subject.thing_id)
        try:
            yield
        except RigGoneError:
            raise
        except RigError as error:
            self._log.failed(name, f"{error}; what was known of them stays", kind=_UNREAD, key=key)
        else:
            self._log.succeeded(name, key=key)

    def note_answer(self, subject: Subject, faults: tuple[str, ...]) -> None:
        """An answer came: tells in one line what of it could not be read, or that all could."""
        name, key = f"{self._rig_name}, reading {subject}", _Key(subject.what, subject.thing_id, in_answer=True)
        if faults:
            more = len(faults) - _MOST_FAULTS_TOLD
            text = "; ".join(faults[:_MOST_FAULTS_TOLD]) + (f" and {more} more" if more > 0 else "")
            self._log.failed(name, text, kind=_ODD_ANSWERS, key=key)
        else:
            self._log.succeeded(name, key=key)

    def note_oddity(self, what: str, text: str | None, *, is_harmless: bool = False) -> None:
        """Says a text once for as long as it stands: nothing is wrong with the API, but its user should know."""
        if text is None:
            self._said.pop(what, None)
        elif self._said.get(what) != text:
            self._said[what] = text
            self.note(_ODDITIES, text, level=logging.INFO if is_harmless else logging.WARNING)

    def note(self, kind: Kind, text: str, *, level: int = logging.WARNING) -> None:
        """Tells of something that happened and does not last."""
        self._log.noted(kind, self._rig_name, f"{self._rig_name}: {text}", level=level)

    def note_mixed_up(self, which: str | None) -> None:
        """Tells in one line that lists were answered with rows of another parent, or that none is any more."""
        name, key = f"{self._rig_name}, what belongs where", _Key("parents", None)
        if which:
            text = "an answer has rows of another project or profile than was asked for; they are left out, and what "
            text += f"was known stays; does a proxy mix up answers? (the first: {which})"
            self._log.failed(name, text, kind=_MIXED_UP, key=key)
        else:
            self._log.succeeded(name, key=key)

    def forget_all_but(self, thing_ids: AbstractSet[str]) -> None:
        """Forgets the failures of profiles, projects and targets that are gone."""
        for key in self._log.failing:
            if isinstance(key, _Key) and key.thing_id is not None and key.thing_id not in thing_ids:
                self._log.forget(key)
