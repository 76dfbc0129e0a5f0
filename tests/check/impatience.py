"""How long the checks of these tests wait: never as long as they would for a real network."""

from __future__ import annotations

from ts2mqtt.timing import CheckTimings

IMPATIENT = CheckTimings(reach_s=0.5, login_s=1.0, echo_s=0.5, bridge_answer_s=0.4)
