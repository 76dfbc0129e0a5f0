"""Writes the repository's address into every file that links to it; it stands in `ts2mqtt.REPOSITORY_URL`.

`make address URL=https://example.org/owner/ts2mqtt` sets it, `make address URL=` takes it out of all files again.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from tests.support.project import ROOT
from ts2mqtt.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_BLUEPRINTS = "homeassistant/blueprints/automation/ts2mqtt"
_BADGE = "https://my.home-assistant.io/badges/blueprint_import.svg"
_IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
# The first words of each row of the table in homeassistant/README.md, and the blueprint that the row is about.
_ROWS = {
    "night plan at dusk": "night_plan",
    "nothing planned tonight": "nothing_planned",
    "imaging started or ended": "imaging",
    "rig silent while it should be imaging": "silent_rig",
    "morning report": "morning_report",
    "target or project completed": "completed",
    "image quality fell below a limit": "image_quality",
}
_ADDRESS = r"https://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~-]+)+"


@dataclass(frozen=True, slots=True)
class Place:
    """A text in a file, without the address, and what it becomes with it: `{url}` or `{quoted}` is the address."""

    file: str
    without: str
    with_address: str
    only_at: str = ""
    """What an address begins with that is written here; others are left out."""

    def written(self, text: str, url: str) -> str:
        """The file's text with this address, or with none, whichever it had before."""
        plain = re.sub(self._pattern, lambda _: self.without, text)
        if plain.count(self.without) != 1:
            raise ConfigError(f"{self.file}: expected {self.without!r} once")
        if not url or not url.startswith(self.only_at):
            return plain
        text = self.with_address.replace("{quoted}", quote(url, safe="")).replace("{url}", url)
        return plain.replace(self.without, text.replace("{path}", urlsplit(url).path.lower()))

    @property
    def _pattern(self) -> str:
        escaped = re.escape(self.with_address)
        escaped = escaped.replace(re.escape("{path}"), "/[a-z0-9._/-]+")
        return escaped.replace(re.escape("{url}"), _ADDRESS).replace(
            re.escape("{quoted}"), "https%3A%2F%2F[A-Za-z0-9._~%-]+?"
        )


def _row(title: str, name: str) -> Place:
    path = f"/blob/main/{_BLUEPRINTS}/{name}.yaml"
    link = f"[![Import]({_BADGE})]({_IMPORT}{{quoted}}{quote(path, safe='')})"
    return Place("homeassistant/README.md", f"| {title} |", f"| {title} {link} |")


def _blueprint(name: str) -> Place:
    file = f"{_BLUEPRINTS}/{name}.yaml"
    lines = "  domain: automation\n  author: ts2mqtt\n"
    return Place(file, lines, f"{lines}  source_url: {{url}}/blob/main/{file}\n")


PLACES = (
    Place("ts2mqtt/__init__.py", 'REPOSITORY_URL = ""', 'REPOSITORY_URL = "{url}"'),
    Place(
        "pyproject.toml",
        "[project.scripts]\n",
        '[project.urls]\nRepository = "{url}"\nIssues = "{url}/issues"\n'
        'Changelog = "{url}/blob/main/CHANGELOG.md"\n\n[project.scripts]\n',
    ),
    Place(
        "Dockerfile",
        'org.opencontainers.image.title="ts2mqtt" \\\n',
        'org.opencontainers.image.title="ts2mqtt" \\\n'
        '      org.opencontainers.image.source="{url}" \\\n      org.opencontainers.image.url="{url}" \\\n',
    ),
    Place("repository.yaml", "name: ts2mqtt\n", "name: ts2mqtt\nurl: {url}\n"),
    Place("addon/config.yaml", "slug: ts2mqtt\n", "slug: ts2mqtt\nurl: {url}\n"),
    # Where the workflow Release puts the app's images; {arch} is the Supervisor's.
    Place("addon/config.yaml", "arch:\n", "image: ghcr.io{path}-{arch}\narch:\n", only_at="https://github.com/"),
    *(_blueprint(name) for name in _ROWS.values()),
    *(_row(title, name) for title, name in _ROWS.items()),
    Place(
        "docs/quick-start.md",
        "add the address of this repository.",
        "add the address of this repository, `{url}`.",
    ),
    Place(
        "docs/quick-start.md",
        "\nIn a clone of this repository:\n",
        "\nIn a clone of this repository (`git clone {url}`):\n",
    ),
    Place(
        "README.md",
        "In a clone of this repository, with Python",
        "In a clone of this repository (`git clone {url}`), with Python",
    ),
    Place(
        "README.md",
        "add the address of this repository.",
        "add the address of this repository, `{url}`.",
    ),
    Place(
        "SECURITY.md",
        "through the repository's security advisories,",
        "through the repository's [security advisories]({url}/security/advisories/new),",
    ),
    Place("CONTRIBUTING.md", "Please open an issue ", "Please open an [issue]({url}/issues) "),
)


def checked(url: str) -> str:
    """The address as it is written: https, and without a slash or `.git` at its end; an empty one stays empty."""
    address = url.strip().rstrip("/").removesuffix(".git")
    if address and not re.fullmatch(_ADDRESS, address):
        raise ConfigError(f"URL={url}: expected the repository's address, such as https://example.org/owner/ts2mqtt")
    return address


def write_address(root: Path, url: str) -> None:
    """Into all files below this folder, or into none if one of them is not as it is expected to be."""
    texts: dict[Path, str] = {}
    for place in PLACES:
        file = root / place.file
        texts[file] = place.written(texts.get(file) or file.read_text(encoding="utf-8"), checked(url))
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        write_address(ROOT, "".join(sys.argv[1:]))
    except ConfigError as error:
        sys.exit(str(error))
