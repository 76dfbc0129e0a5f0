"""Output takes any text, whatever characters a console or a file has."""

from __future__ import annotations

import io

import pytest

from ts2mqtt.system.output import write_what_is_missing_as_escapes

TEXT = "M 42 – Große Wolke ✔ 中"


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("cp437", r"M 42 \u2013 Große Wolke \u2714 \u4e2d"),
        ("cp1252", r"M 42 – Große Wolke \u2714 \u4e2d"),
        ("ascii", r"M 42 \u2013 Gro\xdfe Wolke \u2714 \u4e2d"),
        ("utf-8", TEXT),
    ],
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_character_that_is_missing_is_written_as_an_escape(
    monkeypatch: pytest.MonkeyPatch, name: str, encoding: str, written: str
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(f"sys.{name}", stream)
    write_what_is_missing_as_escapes()
    stream.write(TEXT)
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == written


def test_a_program_without_a_console_has_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    write_what_is_missing_as_escapes()
