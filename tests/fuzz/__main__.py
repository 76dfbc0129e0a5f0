"""Lets atheris look for bytes that a parser does not survive.

python -m tests.fuzz SECONDS [PARSER …]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path("build", "fuzz")
_ONE = "--one"


def main(arguments: list[str]) -> int:
    if arguments[:1] == [_ONE]:
        _fuzz(*arguments[1:])
        return 0
    # libFuzzer ends its process: each parser has one of its own.
    from tests.fuzz.parsers import PARSERS  # noqa: PLC0415 - what is fuzzed is imported under atheris' eyes

    seconds, *chosen = arguments
    failed = 0
    for parser in chosen or PARSERS:
        command = (sys.executable, "-m", "tests.fuzz", _ONE, parser, seconds)
        failed += subprocess.run(command, check=False).returncode != 0  # noqa: S603 - our own
    return 1 if failed else 0


def _fuzz(parser: str, seconds: str) -> None:
    import logging  # noqa: PLC0415 - as below

    import atheris  # noqa: PLC0415 - not there but for `make fuzz`

    with atheris.instrument_imports(include=["ts2mqtt"]):
        from tests.fuzz.parsers import PARSERS  # noqa: PLC0415 - see main()
    logging.disable(logging.CRITICAL)
    kept, found = CORPUS / parser, FOUND / parser
    found.mkdir(parents=True, exist_ok=True)
    limits = (f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=2048", "-timeout=10")
    atheris.Setup(
        [sys.argv[0], *limits, "-print_final_stats=1", f"-artifact_prefix={kept}/crash-", str(found), str(kept)],
        PARSERS[parser],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
