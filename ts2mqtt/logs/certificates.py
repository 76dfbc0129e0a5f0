"""Why a certificate is not trusted, and what to do about it: the same words in the log and in `ts2mqtt check`."""

from __future__ import annotations

import ssl

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
_WRONG_NAME = (62, 64)


def untrusted_certificate(peer: str, host: str, ca_key: str, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Message and advice; `host` is what the peer was called by, `ca_key` the key that names its authority."""
    code = error.verify_code
    if code == _EXPIRED:
        return (
            f"the certificate of {peer} has expired",
            "renew it there. If it should still be good, the clock of this machine is wrong",
        )
    if code == _NOT_YET_VALID:
        return (
            f"the certificate of {peer} is not valid yet",
            "the clock of this machine is wrong, or that of the machine that made the certificate",
        )
    if code in _WRONG_NAME:
        return (
            f"the certificate of {peer} is for another name",
            f"write the host by a name that stands in the certificate, or have '{host}' put into it",
        )
    if code in _UNKNOWN_AUTHORITY:
        return (
            f"the certificate of {peer} is not trusted: its authority is one that this machine does not know",
            f"write the file with that authority's certificate (PEM) as {ca_key}",
        )
    return (
        f"the certificate of {peer} is not trusted ({error.verify_message})",
        f"have it made anew, or check that {ca_key} belongs to it",
    )


def certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The one that this error came from, if it did."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause
