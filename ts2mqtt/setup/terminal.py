"""The terminal of `ts2mqtt setup`: a line is asked for, a password without showing it, and text is told."""

from __future__ import annotations

import getpass
import textwrap
import warnings
from typing import TYPE_CHECKING, Protocol

from ts2mqtt.check import as_text
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from typing import TextIO

    from ts2mqtt.check import Finding
    from ts2mqtt.setup.steps import Question

_WIDTH = 80


class User(Protocol):
    """Whom the setup asks."""

    def answer_to(self, question: Question) -> str:
        """The line, without white space around it unless it is a secret; the proposal where it is empty."""

    def tell(self, text: str) -> None: ...

    def show(self, finding: Finding) -> None: ...


class Terminal:
    """A user at a terminal; `stdout` is where questions and texts go."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def answer_to(self, question: Question) -> str:
        """Raises EOFError and KeyboardInterrupt as the terminal does."""
        prompt = f"{question.text} [{question.proposal}]: " if question.proposal else f"{question.text}: "
        if question.is_secret:
            return self._secret(prompt)
        return input(prompt).strip() or question.proposal

    def tell(self, text: str) -> None:
        encoding = self._stdout.encoding or "ascii"
        for line in text.splitlines():
            wrapped = textwrap.fill(printable(line), _WIDTH, break_long_words=False, break_on_hyphens=False)
            print(wrapped.encode(encoding, "backslashreplace").decode(encoding), file=self._stdout, flush=True)

    def show(self, finding: Finding) -> None:
        print(as_text(finding, self._stdout.encoding), file=self._stdout, flush=True)

    def _secret(self, prompt: str) -> str:
        with warnings.catch_warnings():
            # Python would only warn, and then show what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(prompt)
            except getpass.GetPassWarning:
                raise Ts2mqttError(
                    "this terminal cannot hide a password that is typed",
                    "run setup in another one, or write config.yaml by hand",
                ) from None
