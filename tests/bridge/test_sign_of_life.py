"""The sign of life: what is believed of a file in a folder where everybody may write, and what is said otherwise."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.build import mqtt_config
from tests.support.clocks import HandClock
from ts2mqtt.bridge.sign_of_life import FRESH_S, RHYTHM_S, SignOfLife, make_sure_of_life, sign_paths
from ts2mqtt.errors import NoSignOfLifeError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.running import Log


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ts2mqtt-0-test.alive"


def fault(clock: HandClock, *paths: Path) -> str:
    with pytest.raises(NoSignOfLifeError) as caught:
        make_sure_of_life(paths, clock)
    return str(caught.value)


def test_a_sign_is_good_for_six_times_its_rhythm(path: Path, clock: HandClock) -> None:
    SignOfLife((path,), clock).show()
    make_sure_of_life((path,), clock)
    clock.advance(6 * RHYTHM_S)
    make_sure_of_life((path,), clock)
    clock.advance(1)
    assert fault(clock, path) == (
        "the bridge's last sign of life is 31 s old: its main loop hangs, or it was killed; restart it, and please "
        "report what its log says"
    )


def test_a_clock_that_somebody_sets_changes_nothing(path: Path, clock: HandClock) -> None:
    SignOfLife((path,), clock).show()
    clock.set(clock.now().replace(year=1970))
    make_sure_of_life((path,), clock)


def test_a_sign_of_before_the_machine_was_started_anew_is_none(path: Path, clock: HandClock) -> None:
    SignOfLife((path,), clock).show()
    clock.seconds = 5.0
    assert "is of an earlier start of this machine" in fault(clock, path)


def test_a_bridge_that_stops_takes_its_sign_along(path: Path, clock: HandClock) -> None:
    sign = SignOfLife((path,), clock)
    sign.show()
    sign.remove()
    assert not path.exists()
    assert "no bridge with this mqtt.base_topic and mqtt.client_id shows a sign of life" in fault(clock, path)


def test_the_sign_of_another_process_stays(path: Path, clock: HandClock) -> None:
    path.write_text(f"{clock.seconds} {os.getpid() + 1}\n")
    SignOfLife((path,), clock).remove()
    assert path.exists()


def test_only_its_user_can_read_it_and_nothing_is_left_beside_it(path: Path, clock: HandClock) -> None:
    sign = SignOfLife((path,), clock)
    for _ in range(3):
        sign.show()
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_link_in_its_place_is_replaced_and_not_followed(path: Path, clock: HandClock, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    # What it says would be a good sign of life.
    precious.write_text(sign := f"{clock.seconds} {os.getpid()}\n")
    path.symlink_to(precious)
    assert "is no sign of life that this user's bridge has left" in fault(clock, path)
    clock.advance(5)
    SignOfLife((path,), clock).show()
    assert precious.read_text() == sign
    assert not path.is_symlink()
    make_sure_of_life((path,), clock)


@pytest.mark.parametrize("text", ["", "alive", "1 2 3", "nan 7", "\xff", "x" * 10_000])
def test_garbage_is_no_sign_of_life(path: Path, clock: HandClock, text: str) -> None:
    path.write_text(text, encoding="latin-1")
    fault(clock, path)


@pytest.mark.parametrize("kind", ["directory", "fifo", "socket"])
def test_what_is_no_file_is_no_sign_of_life(path: Path, clock: HandClock, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    assert "is no sign of life that this user's bridge has left" in fault(clock, path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_sign_that_another_user_has_left_is_not_believed(path: Path, clock: HandClock) -> None:
    SignOfLife((path,), clock).show()
    os.chown(path, 10001, -1)
    assert "another user's file" in fault(clock, path)


class TestWithoutAPlaceToWrite:
    def test_the_next_place_is_used(self, path: Path, clock: HandClock, tmp_path: Path, log: Log) -> None:
        nowhere = tmp_path / "nowhere" / "sign"
        sign = SignOfLife((nowhere, path), clock)
        for _ in range(3):
            sign.show()
        make_sure_of_life((nowhere, path), clock)
        assert log.problems == []

    def test_a_fresh_sign_counts_beside_an_old_one(self, path: Path, clock: HandClock, tmp_path: Path) -> None:
        old, foreign = tmp_path / "old", tmp_path / "foreign"
        SignOfLife((old,), clock).show()
        foreign.mkdir()
        clock.advance(FRESH_S + 1)
        SignOfLife((path,), clock).show()
        make_sure_of_life((old, foreign, path), clock)

    def test_the_log_says_so_once(self, tmp_path: Path, clock: HandClock, log: Log) -> None:
        sign = SignOfLife((tmp_path / "nowhere" / "sign",), clock)
        for _ in range(10):
            sign.show()
        (line,) = log.problems
        assert f"no file can be written ({tmp_path}/nowhere: No such file or directory)" in line
        assert "give a read-only container a tmpfs at /tmp" in line

    def test_a_healthcheck_says_why_and_what_to_do(self, tmp_path: Path, clock: HandClock) -> None:
        assert fault(clock, tmp_path / "nowhere" / "sign") == (
            f"the bridge can leave no sign of life: nothing can be written to {tmp_path}/nowhere; give the container "
            "a tmpfs at /tmp"
        )


class TestPaths:
    def test_they_lie_in_folders_for_temporary_files(self, tmp_path: Path) -> None:
        assert [str(path.parent) for path in sign_paths(mqtt_config(1883), {})] == ["/tmp", "/dev/shm"]  # noqa: S108
        assert sign_paths(mqtt_config(1883), {"TMPDIR": str(tmp_path)})[0].parent == tmp_path

    @pytest.mark.parametrize("change", [{"base_topic": "south/ts2mqtt"}, {"client_id": "../../south"}])
    def test_two_bridges_do_not_share_one(self, change: dict[str, str]) -> None:
        one, other = mqtt_config(1883), mqtt_config(1883).model_copy(update=change)
        for first, second in zip(sign_paths(one, {}), sign_paths(other, {}), strict=True):
            assert first != second
            assert first.parent == second.parent
