"""How long the bridge waits for what; tests hand in shorter times."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RigTimings:
    """Towards a rig's API; all in seconds."""

    connect_timeout_s: float = 5.0
    first_retry_s: float = 2.0
    longest_retry_s: float = 60.0
    least_gap_s: float = 2.0
    """Between two looks, however often somebody asks for a refresh."""

    least_plan_gap_s: float = 60.0
    """Between two night plans, however often somebody asks for one."""

    recall_s: float = 60.0
    """So long the broker may take to tell the plan that is there already, before a rig is asked for a new one."""

    after_a_bug_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceTimings:
    """How fast is published; messages, and devices of Home Assistant, a second."""

    burst: int = 200
    handful: int = 25
    per_second: float = 500.0
    """A subscriber on a Mosquitto with default limits loses messages when a burst is larger and faster than this."""

    many: int = 1_000
    """Mosquitto queues so many messages for a subscriber by default. From so many topics on the bridge listens to
    what the broker drops, and tells no more than `devices_at_once`."""

    devices_at_once: int = 200
    """Home Assistant does nothing else until it has worked on all that it has read at once, and its broker ends a
    connection on which it is silent for a minute and a half."""

    devices_per_second: float = 20.0
    least_devices_per_second: float = 2.0
    most_devices_per_second: float = 60.0
    """A Home Assistant on two cores takes about 50 new devices a second: docs/performance.md."""

    growth: float = 1.2
    """Of the rate of devices, with each reading of the broker's counts that is good."""

    states_a_device: float = 2.0
    """So many states cost Home Assistant as much as one device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NinaTimings:
    """Towards N.I.N.A.'s Advanced API; all in seconds."""

    connect_timeout_s: float = 10.0
    answer_s: float = 5.0
    """So long each of the few answers after a connect may take."""

    ping_s: float = 25.0
    pong_s: float = 20.0
    """Nothing else tells that the other side has lost its power, or that this machine was suspended."""

    goodbye_s: float = 0.7
    """What a connection that is closed waits for its end; less than a stopping bridge waits for its rigs."""

    first_retry_s: float = 5.0
    longest_retry_s: float = 60.0
    refused_retry_s: float = 300.0
    """Where another program answers, or another N.I.N.A."""

    steady_s: float = 60.0
    """A connection that lasted this long was a good one: the next failure is a new one."""

    history_after_s: float = 60.0
    """After a shorter gap the next event tells what was missed; after a longer one N.I.N.A.'s history does."""

    identity_s: float = 60.0
    """So long N.I.N.A. and the Target Scheduler's API may name different profiles, while one is changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTimings:
    """Towards the broker; all in seconds."""

    connect_timeout_s: float = 15.0
    acknowledged_within_s: float = 30.0
    """MQTT sends a message again only on a new connection, and a broker in trouble may forget one."""

    housekeeping_s: float = 1.0
    goodbye_s: float = 1.0
    """What a connection that is closed waits for its last acknowledgements."""

    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    refused_retry_s: float = 60.0
    """After the broker has refused the login, or another bridge is at work."""

    steady_s: float = 60.0
    """A connection that lasted this long was a good one: the next failure is a new one."""

    farewell_s: float = 3.5
    """What a stopping bridge has for its last words; a container's engine kills it after a few seconds more."""

    heartbeat_s: float = 10.0
    answer_s: float = 2.0
    """So long another bridge may take to answer whether it is at work."""

    fence_s: float = 15.0
    """So long the broker may send nothing before what is published comes back."""

    fence_again_s: float = 1.0
    quiet_s: float = 0.2
    """Without anything of what the broker retains, after which that was all."""

    long_read_s: float = 10.0
    """After so long a reading of what the broker retains is told, and then after ever longer times."""

    slow_acknowledgement_s: float = 2.0
    """An acknowledgement that takes longer comes from a broker in trouble (publisher.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpTimings:
    """Towards the machine's resolver, which knows the addresses of names; all in seconds."""

    fresh_s: float = 60.0
    """So long an answer is used without asking again."""

    patience_s: float = 4.0
    """Shorter than a connection to a rig may take, so that the error tells of the name."""

    known_patience_s: float = 1.0
    """Where there is an earlier answer to fall back on."""

    ask_again_s: float = 60.0
    """After so long without an answer another thread asks once more: the network may have changed."""

    kept_s: float = 86_400.0
    """So long an answer is used on while the resolver fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantTimings:
    """Towards Home Assistant; all in seconds."""

    birth_delay_s: tuple[float, float] = (0.5, 3.0)
    """Shortest and longest wait after its birth message; a random one spreads the load of several bridges."""

    registry_written_s: float = 120.0
    """After this it has surely written its registry, and its broker has noticed if its power has failed before."""

    least_birth_gap_s: float = 10.0
    """However often somebody asks for it, Home Assistant is not told everything more often than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTimings:
    """How soon the log has another line of what it has had its first lines of."""

    next_line_s: float = 1_200.0
    """Of a kind: about another rig, list or topic."""

    next_line_of_subject_s: float = 10_800.0
    """About the same rig, list or topic."""

    next_sum_s: float = 10_800.0
    """Of what was only counted."""

    first_sum_s: float = 60.0
    """After what fails together has begun to fail; so often somebody asks for sums."""

    reminder_s: float = 3_600.0
    """Of what still fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """All timings of one bridge."""

    rig: RigTimings = field(default_factory=RigTimings)
    nina: NinaTimings = field(default_factory=NinaTimings)
    broker: BrokerTimings = field(default_factory=BrokerTimings)
    pace: PaceTimings = field(default_factory=PaceTimings)
    home_assistant: HomeAssistantTimings = field(default_factory=HomeAssistantTimings)
    log: LogTimings = field(default_factory=LogTimings)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTimings:
    """Of `ts2mqtt check`, which makes each connection once; all in seconds."""

    reach_s: float = 5.0
    """For a name, for a connection, for a handshake; as long as the bridge itself waits for a rig."""

    login_s: float = 15.0
    echo_s: float = 3.0
    """So long a message may take to the broker and back."""

    bridge_answer_s: float = 2.0
    """So long a bridge may take to answer whether it is at work; as long as one bridge waits for another."""

    quiet_s: float = 0.2
    """Nothing marks the end of what a broker retains. On most brokers a message of our own comes after it; this wait
    catches the rest."""

    date_s: float = 5.0
    """For the head of an HTTP answer, in which the rig's clock is read."""
