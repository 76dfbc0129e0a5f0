"""The settings before they are checked: the text of each key, and the line or variable where it was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ts2mqtt.config.faults import Fault, KeyPath, Place
from ts2mqtt.config.keys import Kind, kind_of


@dataclass(frozen=True)
class Settings:
    """The settings of one or more sources; `places` also has the sections, `root` is the whole source."""

    root: Place
    values: Mapping[KeyPath, object]
    places: Mapping[KeyPath, Place]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...] = ()

    def place_of(self, key: KeyPath) -> Place:
        """The place of the key, or of the section in which the key is missing."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, self.root)

    def written_key(self, key: KeyPath) -> KeyPath:
        """The key as the user wrote it: the models add a number to `url: x`, and "[key]" to a header's name."""
        added = key not in self.places and kind_of(key[:-1]) in {Kind.TEXTS, Kind.SECRET}
        return key[:-1] if added else key

    def section(self, key: KeyPath) -> dict[str, object]:
        """The values below a section, nested as the models want them."""
        nested: dict[str, object] = {}
        for path, value in self.values.items():
            if path[: len(key)] == key and len(path) > len(key):
                _put(nested, path[len(key) :], value)
        return nested


def _put(nested: dict[str, object], path: KeyPath, value: object) -> None:
    name = str(path[0])
    if len(path) == 1:
        nested[name] = value
        return
    inner = nested.setdefault(name, {})
    if isinstance(inner, dict):
        _put(inner, path[1:], value)


def file_below(folder: Path, text: str) -> Path | str:
    """The path relative to this folder; an empty text stays as it is, and is refused later."""
    name = text.strip()
    if not name:
        return text
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:
        # The text has a ~ with the name of a user that does not exist.
        return folder / name
