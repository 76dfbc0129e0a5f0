"""Reads the values of all known keys from the configuration file, with the line of each."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from ts2mqtt.config.faults import Fault, KeyPath, Place, dotted
from ts2mqtt.config.keys import Kind, keys_below, kind_of
from ts2mqtt.config.settings import Settings, file_below
from ts2mqtt.config.suggestions import suggest_key
from ts2mqtt.config.yaml_text import DEEPEST, MOST_NODES, parse
from ts2mqtt.errors import ConfigError

_YAML_TAG = "tag:yaml.org,2002:"
_TYPOGRAPHIC_QUOTES = re.compile("[“”„«»‘’‚].*[“”«»‘’]", re.DOTALL)  # noqa: RUF001 - what word processors write


def read_document(path: Path) -> Settings:
    """The settings in the file.

    Raises ConfigError if the file is not readable YAML; all other faults are part of the result.
    """
    reading = _Reading(path)
    root = parse(path)
    if root is not None:
        reading.read(root)
    return Settings(Place(str(path)), reading.values, reading.places, tuple(reading.faults), tuple(reading.warnings))


class _Reading:
    """Collects values, places and faults while it walks the nodes along the known keys."""

    def __init__(self, path: Path) -> None:
        self.values: dict[KeyPath, object] = {}
        self.places: dict[KeyPath, Place] = {}
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self._path = path
        self._visited = 0

    def read(self, root: yaml.Node) -> None:
        if _is_nothing(root):
            return
        if isinstance(root, yaml.MappingNode):
            self._section((), root)
        else:
            text = f"found {_what(root)}; expected keys such as mqtt: and rigs: at the left edge"
            self._fault((), root, text)

    def _node(self, key: KeyPath, node: yaml.Node) -> None:
        kind = kind_of(key)
        if _is_nothing(node):
            return
        if kind is Kind.SECTION:
            self._one_section(key, node)
        elif kind is Kind.SECTIONS:
            self._sections(key, node)
        elif kind is Kind.SECRETS and isinstance(node, yaml.MappingNode):
            for name, place, value in self._entries(key, node):
                self.places[(*key, name)] = place
                if not _is_nothing(value):
                    self._store((*key, name), value)
        elif kind is Kind.TEXTS and isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.places[(*key, index)] = self._place(item)
            items = tuple(self._plain((*key, index), item) for index, item in enumerate(node.value))
            if None not in items:
                self.values[key] = items
        else:
            self._store(key, node)

    def _one_section(self, key: KeyPath, node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            self._section(key, node)
            return
        # The text is not shown, because "password:secret" without a space is a text too.
        known = ", ".join(keys_below(key))
        text = f"found {_what(node)}; expected keys below it, each with a colon and a space: {known}"
        self._fault(key, node, text)

    def _sections(self, key: KeyPath, node: yaml.Node) -> None:
        example = 'such as "- name: Backyard"'
        if not isinstance(node, yaml.SequenceNode):
            what = "keys without a dash" if isinstance(node, yaml.MappingNode) else _what(node)
            self._fault(key, node, f'found {what}; expected a list: begin each rig with "- ", {example}')
            return
        for index, item in enumerate(node.value):
            self._visit()
            self.places[(*key, index)] = self._place(item)
            if _is_nothing(item):
                self._fault((*key, index), item, f"found nothing after the dash; expected a rig, {example}")
            self._node((*key, index), item)

    def _section(self, section: KeyPath, node: yaml.MappingNode) -> None:
        for name, place, value in self._entries(section, node):
            key = (*section, name)
            if kind_of(key) is None:
                suggestion = suggest_key(section, name)
                self.faults.append(Fault(place, key, f"unknown key; {suggestion.text}", suggestion.meant))
            else:
                self.places[key] = place
                self._node(key, value)

    def _entries(
        self, section: KeyPath, node: yaml.MappingNode, depth: int = 0
    ) -> Iterator[tuple[str, Place, yaml.Node]]:
        """Each key once; keys that `<<` merges come last, and only if the section does not have them itself."""
        lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for name_node, value in node.value:
            self._visit()
            place = self._place(name_node)
            name = str(name_node.value)
            if name == "<<":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif fault := _key_fault((*section, name), name_node, place, lines):
                self.faults.append(fault)
            else:
                lines[name] = place.line
                yield name, place, value
        for other in merged:
            for name, place, value in self._merged(section, other, depth):
                if name not in lines:
                    lines[name] = place.line
                    yield name, place, value

    def _merged(self, section: KeyPath, node: yaml.Node, depth: int) -> Iterator[tuple[str, Place, yaml.Node]]:
        if depth == DEEPEST:
            raise ConfigError(f"{self._path}: an anchor contains itself")
        if isinstance(node, yaml.MappingNode):
            yield from self._entries(section, node, depth + 1)
        else:
            self._fault((*section, "<<"), node, "expected an alias of keys, such as *common")

    def _store(self, key: KeyPath, node: yaml.Node) -> None:
        value = self._plain(key, node)
        if value is not None:
            self.values[key] = value

    def _plain(self, key: KeyPath, node: yaml.Node) -> object | None:
        """The text of a scalar, an empty list or dict for other nodes; None after a fault.

        The name of a file is relative to the folder of the configuration.
        """
        self._visit()
        if isinstance(node, yaml.MappingNode):
            return {}
        if isinstance(node, yaml.SequenceNode):
            return []
        if fault := _scalar_fault(node):
            self._fault(key, node, fault)
            return None
        text = str(node.value)
        if kind_of(key) is Kind.SECRET and _has_comment_behind(node):
            place = self.places.get(key) or self._place(node)
            self.warnings.append(
                f"{place}: {dotted(key)} ends before the #, which begins a comment; if the # belongs to it, put it "
                "in quotes"
            )
        return file_below(self._path.parent, text) if kind_of(key) is Kind.FILE else text

    def _fault(self, key: KeyPath, node: yaml.Node, text: str) -> None:
        place = self.places.get(key) or self._place(node)
        self.faults.append(Fault(place, key, text, key))

    def _place(self, node: yaml.Node) -> Place:
        return Place(str(self._path), node.start_mark.line + 1)

    def _visit(self) -> None:
        self._visited += 1
        if self._visited > MOST_NODES:
            raise ConfigError(f"{self._path}: aliases make more than {MOST_NODES} values of this file")


def _key_fault(key: KeyPath, node: yaml.Node, place: Place, lines: Mapping[str, int]) -> Fault | None:
    """The fault of a key, or None; `lines` has the earlier keys of the section."""
    *section, name = key
    if not isinstance(node, yaml.ScalarNode):
        text = "found a list or keys in place of a key; expected a plain text"
        return Fault(place, tuple(section), text)
    if attached := re.match(r"([^:=]*)[:=]", str(name)):
        # The rest of the text may be a secret: {password:secret} is a key without a value.
        meant = (*section, attached[1])
        return Fault(place, meant, "expected a colon and a space, then the value", meant)
    if "\xa0" in str(name):
        text = "the line is indented with spaces of another kind, as web pages have them; write them anew"
        return Fault(place, tuple(section), text)
    if name in lines:
        return Fault(place, key, f"stands twice, here and in line {lines[str(name)]}; expected it once")
    return None


def _scalar_fault(node: yaml.Node) -> str | None:
    if node.tag == "!secret":
        return "!secret belongs to Home Assistant; use password_file or an environment variable"
    if not node.tag.startswith(_YAML_TAG):
        return "a text that begins with ! has a meaning of its own in YAML; put it in quotes"
    if isinstance(node, yaml.ScalarNode) and node.style is None and _TYPOGRAPHIC_QUOTES.fullmatch(node.value):
        return "typographic quotes are a part of the text; write straight ones, or none"
    if isinstance(node, yaml.ScalarNode) and node.style is None and node.start_mark.line != node.end_mark.line:
        return "the value goes on in the next line; check the indentation there, or put it in quotes"
    return None


def _has_comment_behind(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or node.style is not None or node.end_mark.buffer is None:
        return False
    rest: str = node.end_mark.buffer[node.end_mark.pointer :]
    return re.match(r"[ \t]+#", rest) is not None


def _is_nothing(node: yaml.Node) -> bool:
    """Whether the node is a key without a value, as in `ca_file:`; such a key counts as not written."""
    return (
        isinstance(node, yaml.ScalarNode)
        and node.style is None
        and node.tag.startswith(_YAML_TAG)
        and node.value.lower() in {"", "~", "null"}
    )


def _what(node: yaml.Node) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
