"""Certificates for TLS tests, made by openssl: an authority, a broker's, a client's, and a foreign authority."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_EXTENSIONS = """\
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = IP:127.0.0.1
authorityKeyIdentifier = keyid
[stranger]
subjectAltName = DNS:broker.example
authorityKeyIdentifier = keyid
[client]
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
"""


def openssl_is_installed() -> bool:
    return shutil.which("openssl") is not None


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files; `stranger` is a broker's certificate for another host name."""

    ca: Path
    other_ca: Path
    server: Path
    server_key: Path
    stranger: Path
    stranger_key: Path
    client: Path
    client_key: Path

    def of_a_stranger(self) -> Certificates:
        """The same, for a broker with the stranger's certificate."""
        return replace(self, server=self.stranger, server_key=self.stranger_key)


def make_certificates(directory: Path) -> Certificates:
    (directory / "extensions.cnf").write_text(_EXTENSIONS)
    for authority in ("ca", "other_ca"):
        _request(directory, authority)
        _openssl(
            directory,
            *("x509", "-req", "-in", f"{authority}.csr", "-signkey", f"{authority}.key", "-out", f"{authority}.crt"),
            *("-days", "2", "-extfile", "extensions.cnf", "-extensions", "ca"),
        )
    for name in ("server", "stranger", "client"):
        _request(directory, name)
        _openssl(
            directory,
            *("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", "-days", "2"),
            *("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-extfile", "extensions.cnf", "-extensions", name),
        )
    return Certificates(
        ca=directory / "ca.crt",
        other_ca=directory / "other_ca.crt",
        server=directory / "server.crt",
        server_key=directory / "server.key",
        stranger=directory / "stranger.crt",
        stranger_key=directory / "stranger.key",
        client=directory / "client.crt",
        client_key=directory / "client.key",
    )


def _request(directory: Path, name: str) -> None:
    _openssl(
        directory,
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-subj", f"/CN=ts2mqtt test {name}", "-keyout", f"{name}.key", "-out", f"{name}.csr"),
    )


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)  # noqa: S603, S607 - ours
