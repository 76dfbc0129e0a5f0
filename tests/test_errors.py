"""What an error carries: a message, an advice, or the faults of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ts2mqtt.config import load_config
from ts2mqtt.errors import BrokerUnreachableError, ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BrokerUnreachableError("it broke"), "it broke"),
        (BrokerUnreachableError("it broke; and how", "mend it"), "it broke; and how; mend it"),
    ],
)
def test_an_error_is_told_with_its_advice(error: BrokerUnreachableError, text: str) -> None:
    assert str(error) == text


def test_a_wrong_configuration_has_one_fault_a_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mqtt: {hots: 127.0.0.1, port: 0}\nrigs: []\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    faults = caught.value.faults
    assert len(faults) > 2
    assert all(fault.startswith(str(path)) and "\n" not in fault for fault in faults)
    assert str(caught.value).splitlines() == list(faults)
