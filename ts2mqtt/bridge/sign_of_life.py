"""A small file by which a running bridge shows that its main loop turns; a healthcheck needs no broker to read it."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ts2mqtt.errors import NoSignOfLifeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.config import MqttConfig
    from ts2mqtt.timing import Clock

_LOG = logging.getLogger(__name__)

RHYTHM_S = 5.0
"""A running bridge writes the file so often."""

FRESH_S = 30.0
"""An older sign is that of a bridge which hangs: six have not come."""

_LARGEST_FILE = 100
_FAILURES_BEFORE_TOLD = 2
"""Where a file that is being read cannot be replaced (Windows), one failure means nothing."""

# Windows has neither: there the folder for temporary files belongs to the user alone.
_NO_SURPRISES = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def sign_paths(mqtt: MqttConfig, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where the bridge of this configuration and user may leave its sign, the best place first.

    Bridges with other base topics or client ids have other files. A container whose file system is read-only has
    /dev/shm at least.
    """
    bridge = f"{mqtt.base_topic}\n{mqtt.client_id}"
    digest = hashlib.sha256(bridge.encode()).hexdigest()[:16]
    name = f"ts2mqtt-{_user()}-{digest}.alive"
    return tuple(folder / name for folder in _folders(environment))


class SignOfLife:
    """Writes the sign of one bridge."""

    def __init__(self, paths: tuple[Path, ...], clock: Clock) -> None:
        self._paths = paths
        self._clock = clock
        self._failures = 0

    def show(self) -> None:
        """Says once in the log if no place can be written."""
        # All processes of a machine have the monotonic clock in common, and nobody can set it.
        text = f"{self._clock.monotonic():.1f} {os.getpid()}\n"
        failures = []
        for path in self._paths:
            try:
                _replace(path, text)
            except OSError as error:
                failures.append(f"{path.parent}: {error.strerror}")
            else:
                self._failures = 0
                return
        self._failures += 1
        if self._failures == _FAILURES_BEFORE_TOLD:
            _LOG.warning(
                "a healthcheck cannot see that this bridge is alive: no file can be written (%s); give a read-only "
                "container a tmpfs at /tmp",
                "; ".join(failures),
            )

    def remove(self) -> None:
        """The last act of a bridge that stops; the sign of another process stays."""
        for path in self._paths:
            with suppress(OSError, ValueError):
                if _read(path)[1] == os.getpid():
                    path.unlink()


def make_sure_of_life(paths: tuple[Path, ...], clock: Clock) -> None:
    """Raises NoSignOfLifeError unless a bridge has left a sign in one of these places within the last seconds."""
    ages = []
    refused = []
    for path in paths:
        try:
            ages.append(clock.monotonic() - _read(path)[0])
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            refused.append(f"{path} is no sign of life that this user's bridge has left ({error})")
    if any(0.0 <= age <= FRESH_S for age in ages):
        return
    if ages:
        # A time that is yet to come was written before this machine was started anew.
        newest = min((age for age in ages if age >= 0.0), default=None)
        told = "of an earlier start of this machine" if newest is None else f"{newest:.0f} s old"
        raise NoSignOfLifeError(
            f"the bridge's last sign of life is {told}: its main loop hangs, or it was killed",
            "restart it, and please report what its log says",
        )
    if refused:
        raise NoSignOfLifeError("; ".join(refused), "run this as the bridge's user, or remove the file")
    raise _none_at_all(paths)


def _none_at_all(paths: tuple[Path, ...]) -> NoSignOfLifeError:
    folders = " or ".join(str(path.parent) for path in paths)
    if not any(os.access(path.parent, os.W_OK) for path in paths):
        return NoSignOfLifeError(
            f"the bridge can leave no sign of life: nothing can be written to {folders}",
            "give the container a tmpfs at /tmp",
        )
    return NoSignOfLifeError(
        f"no bridge with this mqtt.base_topic and mqtt.client_id shows a sign of life in {folders}",
        "does `ts2mqtt run` work here, with the same configuration and as the same user?",
    )


def _folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    if sys.platform == "win32":
        return (Path(tempfile.gettempdir()),)
    # Everybody may write there: see _replace() and _read().
    return (Path(environment.get("TMPDIR") or "/tmp"), Path("/dev/shm"))  # noqa: S108  # nosec B108


def _user() -> str:
    return "" if sys.platform == "win32" else str(os.getuid())


def _replace(path: Path, text: str) -> None:
    """Puts a new file of this user into the place of whatever stands there: no link is followed."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> tuple[float, int]:
    """The monotonic time and the process that wrote it.

    ValueError for anything else, and for what this user has not written: anybody may put a file into /tmp.
    """
    descriptor = os.open(path, os.O_RDONLY | _NO_SURPRISES)
    try:
        if sys.platform != "win32" and os.fstat(descriptor).st_uid != os.getuid():
            raise ValueError("another user's file")
        shown, process = os.read(descriptor, _LARGEST_FILE).decode("ascii").split()
        return float(shown), int(process)
    finally:
        os.close(descriptor)
