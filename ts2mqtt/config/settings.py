"""The settings as they were written, before they are checked: text by key, and where each stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ts2mqtt.config.faults import Fault, KeyPath, Place
from ts2mqtt.config.keys import Kind, kind_of


@dataclass(frozen=True)
class Settings:
    """What one or more sources say; `places` also holds the sections, `root` stands for the source as a whole."""

    root: Place
    values: Mapping[KeyPath, object]
    places: Mapping[KeyPath, Place]
    faults: tuple[Fault, ...]

    def place_of(self, key: KeyPath) -> Place:
        """Where the key stands, or else the section in which it is missing."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, self.root)

    def written_key(self, key: KeyPath) -> KeyPath:
        """The key without what the models add: the number where `url: x` is no list, "[key]" for a name."""
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
    """A file's name is meant from the folder of the file that names it; an empty one stays, to be refused."""
    name = text.strip()
    if not name:
        return text
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:
        # A ~ with the name of a user that does not exist.
        return folder / name
