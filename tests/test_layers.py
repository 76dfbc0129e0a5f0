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

LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "message": set(),
    "failures": set(),
    "packet_sizes": set(),
    "allowance": set(),
    "logs": set(),
    "config": {"errors", "logs", "observatory"},
    "observatory": set(),
    "scheduler": {"observatory", "config", "errors", "failures"},
    "topics": {"observatory", "config"},
    "home_assistant": {"observatory", "topics", "config", "logs"},
    "mqtt": {"config", "errors", "packet_sizes"},
    "publisher": {"mqtt", "message", "failures"},
    "heartbeat": {"topics"},
    "found": {"observatory", "topics", "home_assistant"},
    "reloading": {"config", "errors", "logs"},
    "signs_of_life": {"errors", "heartbeat", "mqtt"},
    "commands": {"allowance", "mqtt", "topics"},
    "transitions": {"errors", "home_assistant", "message", "publisher"},
    "simulator": {"errors"},
    "addon": {"config", "errors"},
}
"""What each may import of ours besides itself; what is not named here joins these together."""

ENTRANCES = {
    "bridge": {"cli", "demo"},
    "cli": {"__main__"},
    "demo": {"cli"},
    "interface": {"cli"},
    "simulator": {"cli", "demo"},
}
"""Who alone may import these."""

LIBRARIES = {
    "paho": {"mqtt"},
    "httpx": {"scheduler"},
    "yaml": {"config"},
    "h11": {"simulator"},
}
"""Who alone may import a library."""

INSIDE_SCHEDULER = {f"{ROOT}.scheduler.{module}" for module in ("wire", "reading", "translation")}


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


def import_graph() -> dict[str, set[str]]:
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    return {module: set(imports_of(source, set(sources))) for module, source in sources.items()}


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
    assert LAYERS.keys() | ENTRANCES.keys() <= own_layers(set(MODULES))
    assert set(MODULES) >= INSIDE_SCHEDULER


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    mine = layer(module)
    if mine in LAYERS:
        assert own_layers(GRAPH[module]) - {mine} <= LAYERS[mine]


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


@pytest.mark.parametrize("module", [module for module in MODULES if layer(module) != "scheduler"])
def test_wire_models_stay_inside_the_scheduler(module: str) -> None:
    assert not GRAPH[module] & INSIDE_SCHEDULER


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
        assert set(imports_of("from ts2mqtt import __version__, logs", set(MODULES))) == {
            "ts2mqtt",
            "ts2mqtt.logs.format",
        }

    def test_a_relative_import_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="in full"):
            list(imports_of("from . import names", set(MODULES)))

    def test_a_circle_is_seen(self) -> None:
        assert set(cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
        assert cycle_in({"a": {"b"}, "b": {"c"}}) == []

    def test_the_graph_is_that_of_the_package(self) -> None:
        assert f"{ROOT}.topics.names" in GRAPH[f"{ROOT}.topics.messages"]
        assert f"{ROOT}.bridge" in GRAPH[f"{ROOT}.cli"]
        assert "httpx" in GRAPH[f"{ROOT}.scheduler.client"]
