"""Parses the configuration file as YAML, and explains errors of YAML in the user's words."""

import re
from pathlib import Path

import yaml

from ts2mqtt.config.faults import Fault, Place
from ts2mqtt.errors import ConfigError
from ts2mqtt.logs.wording import printable

MOST_NODES = 50_000
"""The limit of keys and values: more are no configuration, and could take all memory."""
DEEPEST = 20

_LARGEST_FILE = 1 << 20
_MOST_FILES_NAMED = 3


def parse(path: Path) -> yaml.Node | None:
    """The tree of the file with every scalar as text; None for an empty file.

    Raises ConfigError.
    """
    text = _read_text(path)
    try:
        return _compose(text)
    except yaml.reader.ReaderError as error:
        raise ConfigError(str(_unprintable(path, text, error))) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError(str(_bad_yaml(path, text, error))) from None
    except _TooMuchError as error:
        raise ConfigError(f"{path}: {error}") from None


def _misnamed(path: Path) -> Path | None:
    """The file that was probably meant to be the one at `path`: Windows does not show that its name ends in .txt."""
    others = (path.with_name(f"{path.name}.txt"), path.with_suffix(".yml"))
    return next((other for other in others if other.is_file()), None)


def _compose(text: str) -> yaml.Node | None:
    composer = _Composer(text)
    try:
        return composer.get_single_node()
    finally:
        composer.dispose()


class _TooMuchError(Exception):
    """A limit of the parser is exceeded."""


class _Composer(yaml.SafeLoader):
    """Composes nodes only, so that scalars stay text: YAML 1.1 would read `off` as false and 12:30 as 750.

    Stops at more or deeper nodes than any configuration has.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        if self._nodes > MOST_NODES:
            raise _TooMuchError(f"more than {MOST_NODES} values; expected a configuration of a few lines")
        if self._depth > DEEPEST:
            raise _TooMuchError(f"nested more than {DEEPEST} levels deep; the configuration has at most 4")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(
            printable(f"{path}: no such file in {path.absolute().parent}; {_instead_of(path)}")
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: {_why_unreadable(path, error)}") from None
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f"{path}: larger than 1 MiB; expected a configuration of a few lines")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        place = Place(str(path), line, column)
        raise ConfigError(f"{place}: not UTF-8 text; save the file with the encoding UTF-8") from None


def _instead_of(path: Path) -> str:
    """What to do where there is no such file."""
    if other := _misnamed(path):
        return f"there is {other.name} in the same folder: rename it to {path.name}"
    advice = "'ts2mqtt setup' asks for what has to stand in it and writes it, or name another file with -c"
    if others := _configurations_beside(path):
        return f"{advice}; in the same folder there is {', '.join(others)}"
    return advice


def _configurations_beside(path: Path) -> list[str]:
    """The names of the first few YAML files there."""
    try:
        names = (entry.name for entry in path.absolute().parent.iterdir())
        return sorted(name for name in names if name.endswith((".yaml", ".yml")))[:_MOST_FILES_NAMED]
    except OSError:
        return []


def _why_unreadable(path: Path, error: OSError) -> str:
    # To Windows a directory is a file without permission.
    if path.is_dir():
        return "is a directory; expected a file (Docker makes a directory where the file to mount is missing)"
    return f"cannot be read: {error.strerror}"


def _unprintable(path: Path, text: str, error: yaml.reader.ReaderError) -> Fault:
    before = text[: error.position]
    place = Place(str(path), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    return Fault(place, (), "a control character stands here; delete it")


# A pattern for PyYAML's message, and the message here. PyYAML's own quotes the file's text, which may be a secret.
_PROBLEMS = (
    (
        r"mapping values are not allowed",
        (
            "a colon is not expected here; check the indentation and the space after the colon, here and in the "
            "line above, and put a text that contains a colon and a space in quotes"
        ),
    ),
    (
        r"could not find expected ':'",
        "expected a key, a colon and a space, such as host: 192.168.1.10",
    ),
    (r"found unexpected end of stream", "a text in quotes begins here and does not end; close the quotes"),
    (r"cannot start any token", "a text may not begin with this character; put it in quotes"),
    (
        r"found unknown escape character|expected escape sequence",
        "a backslash in double quotes has a meaning of its own; use single quotes",
    ),
    (
        r"undefined alias|while scanning an? (alias|anchor)",
        "a text that begins with * or & has a meaning of its own in YAML; put it in quotes",
    ),
    (r"but found '[\]}]'", "a bracket closes here that was not opened"),
    (r"while parsing a flow", "a bracket opens here that is not closed, or a comma is missing in it"),
    (r"expected <block end>|not allowed here|while parsing a block", "the indentation does not fit the lines above"),
    (r"single document", "a second document begins here (---); expected a single one"),
)


def _bad_yaml(path: Path, text: str, error: yaml.MarkedYAMLError) -> Fault:
    lines = [*text.splitlines(), ""]
    line, column = _where(error)
    tabs = [number for number in (line, line - 1) if re.match(r" *\t", lines[max(0, number)])]
    if tabs:
        place = Place(str(path), tabs[0] + 1, lines[tabs[0]].index("\t") + 1)
        return Fault(place, (), "not valid YAML: the line is indented with a tab; YAML wants spaces")
    problem = f"{error.context} {error.problem}"
    known = (ours for theirs, ours in _PROBLEMS if re.search(theirs, problem))
    what = next(known, "check the indentation, quotes and brackets")
    return Fault(Place(str(path), line + 1, column + 1), (), f"not valid YAML: {what}")


def _where(error: yaml.MarkedYAMLError) -> tuple[int, int]:
    """Line and column from 0; for quotes or brackets that are not closed, the place where they open."""
    problem = f"{error.context} {error.problem}"
    is_open = re.search("found unexpected end of stream|while parsing a flow", problem)
    mark = (error.context_mark if is_open else None) or error.problem_mark
    return (mark.line, mark.column) if mark else (0, 0)
