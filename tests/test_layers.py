"""Who may import whom: data enters at the top, leaves at the bottom and never walks back."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ts2mqtt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = Path(ts2mqtt.__file__).parent
ROOT = PACKAGE.name

EVERYWHERE = {"errors", "timing", "logs"}
"""What any layer may import: the exceptions, the clock, and how things are said in the log."""

LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "timing": set(),
    "logs": {"timing"},
    "observatory": set(),
    "config": {"observatory"},
    "scheduler": {"config", "network", "observatory"},
    "nina": {"config", "network", "observatory"},
    "topics": {"config", "observatory"},
    "home_assistant": {"config", "observatory", "topics"},
    "picture": {"observatory"},
    "network": {"config", "system"},
    "mqtt": {"config", "network"},
    "bridge": {"config", "scheduler", "nina", "observatory", "topics", "home_assistant", "picture", "mqtt"},
    "check": {"bridge", "config", "home_assistant", "mqtt", "nina", "observatory", "scheduler", "topics"},
    "setup": {"check", "config", "network", "scheduler"},
    "interface": {"config", "home_assistant", "observatory", "topics"},
    "simulator": set(),
    "demo": {"bridge", "config", "home_assistant", "mqtt", "observatory", "simulator", "topics"},
    "app": {"config"},
    "system": set(),
}
"""What each may import of ours besides itself and what is for everybody: data goes one way."""

FOR_ALL_BUT = {"observatory"}
"""Pure: it knows of no exception, clock or log of ours."""

ROOT_MODULES = {"__main__", "cli", "commands", "errors", "exit_codes"}
"""Everything else has a room."""

ENTRANCES = {
    "app": {"app"},
    "bridge": {"check", "commands", "demo"},
    "check": {"commands", "setup"},
    "cli": {"__main__", "app"},
    "commands": {"cli"},
    "demo": {"commands"},
    "interface": {"commands"},
    "setup": {"commands"},
    "simulator": {"commands", "demo"},
    "system": {"cli", "commands", "network"},
}
"""Who alone may import these."""

LIBRARIES = {
    "paho": {"mqtt"},
    "httpcore": {"network", "scheduler", "nina"},
    "yaml": {"config"},
    "h11": {"simulator"},
    "websockets": {"nina", "simulator"},
}
"""Who alone may import a library."""

WIRE_MODELS = {
    "scheduler": {f"{ROOT}.scheduler.{module}" for module in ("wire", "decode", "translate")},
    "nina": {f"{ROOT}.nina.events"},
}
"""What knows how things travel, by the layer inside which it stays."""

CLOCK = f"{ROOT}.timing.clock"
OWN_TIME = {"simulator", "demo", "app"}
"""They play a rig, or run before any bridge does: their time is not the bridge's."""

CALLABLES_OF_OURS = {f"{ROOT}.bridge.reload"}
"""Signals call a function, and nothing else: this module makes the one that SIGHUP calls."""


def module_name(path: Path, package: Path = PACKAGE) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, modules: set[str]) -> Iterator[str]:
    """Every module that this source imports, wherever in it: at the top, in a function, for type checkers only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            origin = node.module or ""
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield inner if inner in modules else origin


def own_time(source: str) -> Iterator[str]:
    """What a module reads of the time by itself: time.monotonic(), datetime.now(), the event loop's clock."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        where, what = ast.unparse(node.func.value), node.func.attr
        is_clock = where == "time" and what != "sleep"
        is_now = where in {"datetime", "date", "dt.datetime", "dt.date"} and what in {"now", "utcnow", "today"}
        if is_clock or is_now or (what == "time" and where.endswith("loop()")):
            yield ast.unparse(node)


def callables_taken(source: str) -> Iterator[str]:
    """Parameters of constructors, and fields of dataclasses, whose type is a function."""
    for owner in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)):
        annotated = [field for field in owner.body if isinstance(field, ast.AnnAssign)]
        made = [node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
        for method in made:
            arguments = (*method.args.args, *method.args.kwonlyargs)
            yield from (one.arg for one in arguments if one.annotation and _is_callable(one.annotation))
        yield from (ast.unparse(field.target) for field in annotated if _is_callable(field.annotation))


def _is_callable(annotation: ast.expr) -> bool:
    names = {name.id for name in ast.walk(annotation) if isinstance(name, ast.Name)}
    return bool({"Callable", "Coroutine", "Awaitable"} & names)


SOURCES = {module_name(path): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def import_graph() -> dict[str, set[str]]:
    return {module: set(imports_of(source, set(SOURCES))) for module, source in SOURCES.items()}


GRAPH = import_graph()
MODULES = sorted(GRAPH)


def layer(module: str) -> str | None:
    """`topics` for ts2mqtt.topics.names; None for other people's modules, and for the package itself."""
    head, _, rest = module.partition(".")
    return rest.partition(".")[0] if head == ROOT and rest else None


def own_layers(imports: set[str]) -> set[str]:
    return {found for module in imports if (found := layer(module))}


def cycle_in(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_every_named_layer_exists() -> None:
    """Else a rule would hold for nobody after a module was renamed."""
    assert own_layers(set(MODULES)) - ROOT_MODULES | {"errors"} == LAYERS.keys()
    assert ENTRANCES.keys() <= own_layers(set(MODULES))
    assert set(MODULES) >= set().union(*WIRE_MODELS.values()) | {CLOCK} | CALLABLES_OF_OURS


def test_every_module_has_a_room() -> None:
    at_the_root = {module.removeprefix(f"{ROOT}.") for module in MODULES if module.count(".") == 1}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert at_the_root - packages == ROOT_MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    mine = layer(module)
    if mine in LAYERS:
        allowed = LAYERS[mine] | (set() if mine in FOR_ALL_BUT else EVERYWHERE)
        assert own_layers(GRAPH[module]) - {mine} <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_entrances_are_used_by_nobody_else(module: str) -> None:
    mine = layer(module)
    for entrance, allowed in ENTRANCES.items():
        if mine != entrance and mine not in allowed:
            assert entrance not in own_layers(GRAPH[module])


@pytest.mark.parametrize("module", MODULES)
def test_a_library_stays_where_it_belongs(module: str) -> None:
    libraries = {imported.partition(".")[0] for imported in GRAPH[module]}
    for library, allowed in LIBRARIES.items():
        if layer(module) not in allowed:
            assert library not in libraries


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_looked_for_by_its_real_name(library: str) -> None:
    assert library in {imported.partition(".")[0] for imports in GRAPH.values() for imported in imports}


@pytest.mark.parametrize("module", [module for module in MODULES if layer(module) == "observatory"])
def test_the_observatory_is_plain_python(module: str) -> None:
    others = {imported.partition(".")[0] for imported in GRAPH[module]} - {ROOT}
    assert not others & {"pydantic", "pydantic_core", "asyncio", "logging", "socket", "threading"}


@pytest.mark.parametrize("inside", WIRE_MODELS)
def test_wire_models_stay_inside_their_layer(inside: str) -> None:
    for module in MODULES:
        assert layer(module) == inside or not GRAPH[module] & WIRE_MODELS[inside], module


@pytest.mark.parametrize("module", [module for module in MODULES if layer(module) not in OWN_TIME])
def test_time_comes_from_the_clock_alone(module: str) -> None:
    if module != CLOCK:
        assert list(own_time(SOURCES[module])) == []


@pytest.mark.parametrize("module", [module for module in MODULES if layer(module) == "bridge"])
def test_constructors_of_the_bridge_take_values(module: str) -> None:
    if module not in CALLABLES_OF_OURS:
        assert list(callables_taken(SOURCES[module])) == []


def test_nothing_imports_in_a_circle() -> None:
    # A package's own front page (config/__init__.py) names its modules; they do not name it.
    assert cycle_in({module: imports - {module} for module, imports in GRAPH.items()}) == []


class TestTheRulesThemselves:
    """An import is found wherever it stands, and a circle is seen."""

    @pytest.mark.parametrize(
        "source",
        [
            "import ts2mqtt.topics.names",
            "from ts2mqtt.topics.names import TARGET",
            "from ts2mqtt.topics import names",
            "if TYPE_CHECKING:\n    from ts2mqtt.topics.names import TARGET",
            "def late():\n    from ts2mqtt.topics import names as n",
        ],
    )
    def test_an_import_is_found(self, source: str) -> None:
        assert set(imports_of(source, set(MODULES))) == {"ts2mqtt.topics.names"}

    def test_a_value_of_a_package_is_no_module(self) -> None:
        assert set(imports_of("from ts2mqtt import __version__, errors", set(MODULES))) == {
            "ts2mqtt",
            "ts2mqtt.errors",
        }

    def test_a_relative_import_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="in full"):
            list(imports_of("from . import names", set(MODULES)))

    def test_a_circle_is_seen(self) -> None:
        assert set(cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
        assert cycle_in({"a": {"b"}, "b": {"c"}}) == []

    def test_the_graph_is_that_of_the_package(self) -> None:
        assert f"{ROOT}.topics.names" in GRAPH[f"{ROOT}.topics.encode"]
        assert f"{ROOT}.bridge.bridge" in GRAPH[f"{ROOT}.commands"]
        assert "httpcore" in GRAPH[f"{ROOT}.scheduler.client"]

    @pytest.mark.parametrize(
        "source",
        [
            "started = time.monotonic()",
            "def f():\n    return datetime.now(UTC)",
            "now = asyncio.get_running_loop().time()",
            "today = dt.date.today()",
        ],
    )
    def test_time_of_ones_own_is_seen(self, source: str) -> None:
        assert list(own_time(source))

    def test_a_clock_that_was_handed_in_is_not(self) -> None:
        assert list(own_time("now = self._clock.now()\nseconds = clock.monotonic()\ntime.sleep(1)")) == []

    @pytest.mark.parametrize(
        "source",
        [
            "class A:\n    def __init__(self, on_done: Callable[[], None]) -> None: ...",
            "class A:\n    def __init__(self, *, on_done: Callable[[], None] | None = None) -> None: ...",
            "class A:\n    on_done: Callable[[str], bool]",
        ],
    )
    def test_a_callable_is_seen(self, source: str) -> None:
        assert list(callables_taken(source)) == ["on_done"]

    def test_a_value_is_no_callable(self) -> None:
        assert list(callables_taken("class A:\n    def __init__(self, clock: Clock, name: str) -> None: ...")) == []
