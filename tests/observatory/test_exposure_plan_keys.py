"""Keys of exposure plans: stable, unique within a target, and safe in topics and ids."""

from __future__ import annotations

import random
import re

import pytest

from ts2mqtt.observatory.exposure_plan_keys import exposure_plan_keys

SAFE = re.compile(r"[a-z0-9_]+")


def key(template: str | None, exposure_s: float | None = 60) -> str:
    return exposure_plan_keys([(template, exposure_s)])[0]


@pytest.mark.parametrize(
    ("template", "exposure_s", "expected"),
    [
        ("Lum", 60.0, "lum_60"),
        ("Lum", 0.5, "lum_0_5"),
        ("Lum", 0.001, "lum_0_001"),
        ("Lum", 0.0, "lum_0"),
        ("Lum", 1_000_000.0, "lum_1000000"),
        ("Lum", 100.0, "lum_100"),
        ("Lum", None, "lum_unknown"),
        ("Ha 3nm", 300.0, "ha_3nm_300"),
        ("Ha-3nm", 300.0, "ha_3nm_300"),
        ("  Red  ", 60.0, "red_60"),
        ("OSC_gain_100", 60.0, "osc_gain_100_60"),
    ],
)
def test_a_plain_name_is_readable_in_its_key(template: str, exposure_s: float | None, expected: str) -> None:
    assert key(template, exposure_s) == expected


def test_keys_made_by_an_earlier_version_stay() -> None:
    # They are part of unique ids: another digest would make new entities in every user's Home Assistant.
    assert key("Hα") == "h_3692_60"
    assert key("") == "plan_b1fe_60"


def test_the_same_template_twice_is_numbered_in_the_plans_order() -> None:
    assert exposure_plan_keys([("Lum", 60.0)] * 3) == ("lum_60", "lum_60_2", "lum_60_3")


def test_the_same_template_with_another_exposure_time_is_another_plan() -> None:
    assert exposure_plan_keys([("Lum", 60.0), ("Lum", 120.0)]) == ("lum_60", "lum_120")


def test_a_number_never_meets_another_plans_key() -> None:
    keys = exposure_plan_keys([("Lum", 60.0), ("Lum 60", 2.0), ("Lum", 60.0)])

    assert len(set(keys)) == 3


def test_greek_letters_are_told_apart_whatever_stands_beside_them() -> None:
    alpha, beta = key("Hα"), key("Hβ")

    assert alpha != beta
    assert exposure_plan_keys([("Hβ", 60.0), ("Hα", 60.0)]) == (beta, alpha)
    assert key("H") not in (alpha, beta)


def test_a_template_keeps_its_key_when_others_come_and_go() -> None:
    before = exposure_plan_keys([("Lum", 60.0), ("Hα", 300.0), ("O/III", 300.0)])
    after = exposure_plan_keys([("O/III", 300.0), ("SII", 300.0), ("Hα", 300.0)])

    assert {before[1], before[2]} == {after[0], after[2]}


@pytest.mark.parametrize(
    "template",
    [
        None,
        "",
        " ",
        "///",
        "#",
        "+",
        "a/b",
        "a#",
        "$SYS",
        "é",
        "Ω" * 200,
        "x" * 10_000,
        "a\0b",
        "l\nm",
        "\ud800",
        "🔭",
    ],
)
def test_every_name_gives_a_short_safe_key(template: str | None) -> None:
    made = key(template)

    assert SAFE.fullmatch(made)
    assert len(made) < 64


def test_names_that_would_look_alike_are_told_apart() -> None:
    looks = ["a/b", "a b", "a#b", "a+b", "äb", "x" * 100, "x" * 101, "x" * 40]

    assert len({key(name) for name in looks}) == len(looks)


def test_keys_are_unique_and_the_same_every_time() -> None:
    chance = random.Random(2)  # noqa: S311 - the same targets at every run
    names = ["Lum", "lum", "LUM 60", "Lum_60_2", "Hα", "Hβ", "H", "", None, "a/b", "a b"]
    times = [60.0, 60.000_1, 2.0, 0.5, None]
    for _ in range(500):
        plans = [(chance.choice(names), chance.choice(times)) for _ in range(chance.randrange(12))]
        keys = exposure_plan_keys(plans)
        assert len(keys) == len(plans)
        assert len(set(keys)) == len(keys), plans
        assert all(SAFE.fullmatch(made) for made in keys), plans
        assert exposure_plan_keys(iter(plans)) == keys
