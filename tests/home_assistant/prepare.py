"""Prepares the Home Assistants that the tests meet: `python -m tests.home_assistant.prepare [VERSION ...]`.

Each gets a folder of its own below TS2MQTT_HASS_DIR or the user's cache: a virtual environment of a fitting Python
of this machine, or, as root on a Debian that has none, a chroot of a newer Debian with one. What is ready stays;
what was left half-finished is begun again.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.home_assistant.releases import RELEASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.home_assistant.releases import Release

_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_INTEGRATIONS = (
    *("api", "auth", "automation", "blueprint", "config", "diagnostics", "frontend", "history", "image", "logbook"),
    *("lovelace", "mqtt", "notify", "recorder", "rest", "script", "search", "sun", "system_log", "template"),
    "websocket_api",
    # Home Assistant imports these at every start, configured or not.
    *("analytics", "backup", "hassio", "homeassistant", "network", "onboarding", "person", "repairs"),
)
# They have no wheels and only listen to microphones; what asks for them is not set up then.
_LEFT_OUT = ("pymicro-vad", "pyspeex-noise")

_IN_CHROOT = """\
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
exec chroot "$0" "$@"
"""
_HASS_IN_CHROOT = """\
mount --bind "$1" "$0/config"
shift
"""


class CannotPrepareError(Exception):
    """No Home Assistant of this release can be had here; the text says why."""


def folder(release: Release) -> Path:
    """Where a release is prepared."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TS2MQTT_HASS_DIR") or cache / "ts2mqtt" / "home-assistant") / release.version


def is_ready(release: Release) -> bool:
    ready = folder(release) / "ready"
    return ready.is_file() and ready.read_text() == _recipe(release)


def why_not(release: Release) -> str:
    """What the last attempt said, for somebody who has no Home Assistant of this release."""
    told = _told(release)
    return told.read_text() if told.is_file() else "run `make test-home-assistant`"


def hass_command(release: Release, config: Path) -> tuple[str, ...]:
    """The command that runs a prepared release with this folder as its configuration, as one process."""
    options = ("--skip-pip", "--log-no-color")
    root = folder(release) / "root"
    if not root.exists():
        return (str(folder(release) / "python" / "bin" / "hass"), "--config", str(config), *options)
    # The mounts are seen by this process alone and end with it.
    script = _HASS_IN_CHROOT + _IN_CHROOT
    inside = ("/hass/bin/hass", "--config", "/config", *options)
    return ("unshare", "--mount", "sh", "-ec", script, str(root), str(config), *inside)


def prepare(release: Release) -> None:
    """Returns when the release can be started; CannotPrepareError otherwise."""
    home = folder(release)
    home.parent.mkdir(parents=True, exist_ok=True)
    with _alone(home.with_name(f"{release.version}.lock")):
        if is_ready(release):
            return
        _remove(home)
        home.mkdir()
        if python := _python_here(release):
            _run(python, "-m", "venv", str(home / "python"))
            _install(release, home / "python", ())
        else:
            root = home / "root"
            _bootstrap(release, root)
            _run(*_inside(root), release.python_name, "-m", "venv", "/hass", environment=_environment())
            _install(release, root / "hass", _inside(root))
            # At the tests Home Assistant has nobody to ask for names.
            (root / "etc" / "resolv.conf").unlink()
        (home / "ready").write_text(_recipe(release))


def _recipe(release: Release) -> str:
    """Another one, and what was prepared by the last is begun again."""
    return f"{release} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}\n"


def _told(release: Release) -> Path:
    return folder(release).with_name(f"{release.version}.failed")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _remove(home: Path) -> None:
    if any(line.split()[1].startswith(f"{home}/") for line in Path("/proc/self/mounts").read_text().splitlines()):
        raise CannotPrepareError(f"something is mounted below {home}; unmount it first")
    _run("rm", "-rf", "--one-file-system", str(home))


def _python_here(release: Release) -> str | None:
    """A Python of this machine that fits and is complete."""
    name = release.python_name
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [shutil.which(name), *pyenv.glob(f"versions/*/bin/{name}")]
    fits = f"import ctypes, ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info < {release.python})"
    for candidate in filter(None, candidates):
        try:
            _run(str(candidate), "-c", fits)
        except CannotPrepareError:
            continue
        return str(candidate)
    return None


def _bootstrap(release: Release, root: Path) -> None:
    """A Debian with the Python, from the mirror that this machine's apt uses."""
    missing = f"this machine has no Python {'.'.join(map(str, release.python))} or a later one of its series"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CannotPrepareError(f"{missing}, and only root on a Debian can add one")
    if not shutil.which("debootstrap"):
        raise CannotPrepareError(f"{missing}; with debootstrap one could be had")
    targets = _run("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    mirrors = [line.partition(" ")[2] for line in targets.splitlines() if line.startswith("Debian ")]
    if not mirrors:
        raise CannotPrepareError("this machine's apt knows no mirror of Debian")
    proxy = _run("apt-config", "--format", "%v%n", "dump", "Acquire::http::Proxy").strip()
    packages = ",".join((f"{release.python_name}-venv", "ca-certificates", *release.packages))
    script = Path("/usr/share/debootstrap/scripts") / release.debian
    _run(
        *("debootstrap", "--variant=minbase", f"--include={packages}", release.debian, str(root), mirrors[0]),
        # A release that this machine's debootstrap does not know yet is bootstrapped as every other.
        *([] if script.exists() else [str(script.with_name("sid"))]),
        environment=os.environ | ({"http_proxy": proxy} if proxy else {}),
    )
    for file in (Path("/etc/resolv.conf"), Path("/etc/hosts")):
        shutil.copy(file, root / file.relative_to("/"))
    authorities = Path(_pip_settings().get("PIP_CERT") or os.environ.get("SSL_CERT_FILE") or _CERTIFICATES)
    if authorities.exists():
        shutil.copy(authorities, root / _CERTIFICATES.relative_to("/"))
    (root / "config").mkdir()


def _inside(root: Path) -> tuple[str, ...]:
    return ("unshare", "--mount", "sh", "-ec", _IN_CHROOT, str(root))


def _environment() -> dict[str, str]:
    """For what runs in a chroot: pip as it is set up on this machine, and this machine's proxies."""
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
    return proxies | _pip_settings() | path | {"PIP_CERT": str(_CERTIFICATES)}


def _pip_settings() -> dict[str, str]:
    settings = {}
    for line in _run(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key in {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries", "cert"}:
            settings[f"PIP_{key.upper().replace('-', '_')}"] = str(ast.literal_eval(value))
    return settings


def _install(release: Release, venv: Path, inside: tuple[str, ...]) -> None:
    """Home Assistant and what the integrations that the tests use would install when they are first set up."""
    environment = _environment() if inside else os.environ
    pip = (*inside, str(Path("/hass") if inside else venv) + "/bin/pip", "install", "--quiet", "--prefer-binary")
    _run(*pip, f"homeassistant=={release.version}", *release.constraints, environment=environment)
    package = next(venv.glob("lib/python3*/site-packages/homeassistant"))
    shown = Path("/hass") / package.relative_to(venv) if inside else package
    requirements = sorted(_requirements(package / "components", _INTEGRATIONS))
    _run(*pip, "--constraint", str(shown / "package_constraints.txt"), *requirements, environment=environment)


def _requirements(components: Path, integrations: Iterable[str]) -> set[str]:
    """What these integrations, and those that they depend on, name in their manifests."""
    wanted, known = set[str](), set[str]()
    waiting = list(integrations)
    while waiting:
        name = waiting.pop()
        manifest = components / name / "manifest.json"
        if name in known or not manifest.exists():
            continue
        known.add(name)
        told = json.loads(manifest.read_bytes())
        waiting += told.get("dependencies", ())
        wanted |= {one for one in told.get("requirements", ()) if one.partition("==")[0] not in _LEFT_OUT}
    return wanted


def _run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What the command says; CannotPrepareError with the end of it if it fails."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotPrepareError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def main() -> int:
    wanted = set(sys.argv[1:])
    code = 0
    for release in RELEASES:
        if wanted and release.version not in wanted:
            continue
        began = time.monotonic()
        try:
            prepare(release)
        except CannotPrepareError as error:
            _told(release).write_text(str(error))
            print(f"Home Assistant {release.version}: {error}", file=sys.stderr)  # noqa: T201 - a command
            code = 1
        else:
            print(f"Home Assistant {release.version} is ready after {time.monotonic() - began:.0f} s")  # noqa: T201 - a command
    return code


if __name__ == "__main__":
    sys.exit(main())
