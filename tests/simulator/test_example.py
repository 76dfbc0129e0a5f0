"""The documentation's example: what the API serves equals the documented answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.simulator.raw_client import RawClient
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue

PROFILE = "c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4"
PROJECT = "d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4"
TARGET = "134973bf-f949-462d-9c4b-8baad53d75a8"
NEVER = "1969-12-31T19:00:00-05:00"
FILTERS = ("Lum", "Red", "Green", "Blue")


def _project(identity: str, name: str, state: str, created: str) -> dict[str, JsonValue]:
    return {
        "Id": identity,
        "ProfileId": PROFILE,
        "Name": name,
        "State": state,
        "Priority": 1,
        "Description": None,
        "CreateDate": created,
        "ActiveDate": NEVER,
        "InactiveDate": NEVER,
        "MinimumTime": 30,
        "UseCustomHorizon": False,
        "HorizonOffset": 0,
        "MeridianWindow": 0,
        "FilterSwitchFrequency": 0,
        "DitherEvery": 0,
        "EnableGrader": True,
        "Mosaic": False,
        "FlatsHandling": 0,
        "MinimumAltitude": 0,
        "MaximumAltitude": 0,
        "SmartExposureOrder": False,
    }


DOCUMENTED: dict[str, list[dict[str, JsonValue]]] = {
    "profiles": [
        {"Id": PROFILE, "Name": "Profile 1", "Active": True},
        {"Id": "c86232f4-4952-41c6-b83f-69aa749e401f", "Name": "Profile 2", "Active": False},
        {"Id": "53d28ce2-f175-40d9-b765-3ab410efb1de", "Name": "Profile 3", "Active": False},
    ],
    f"profiles/{PROFILE}/projects": [
        _project(PROJECT, "P1", "Active", "2026-02-26T06:17:59-05:00"),
        _project("da436a23-a700-402b-aea5-db438f7ce565", "P2", "Draft", "2026-02-26T13:57:47-05:00"),
    ],
    f"projects/{PROJECT}/targets": [
        {
            "Id": TARGET,
            "ProjectId": PROJECT,
            "Name": "M 31",
            "Active": True,
            "RA": 0.7123138886666667,
            "Dec": 41.26875,
            "Rotation": 0,
            "Epoch": "J2000",
            "ROI": 100,
            "ExposurePlan": [
                {
                    "TemplateName": name,
                    "Exposure": 60,
                    "FilterName": name,
                    "Desired": 1,
                    "Acquired": 0,
                    "Accepted": 0,
                    "Ungraded": 0,
                }
                for name in FILTERS
            ],
        }
    ],
    f"targets/{TARGET}/statistics": [
        {
            "Exposure": 60,
            "FilterName": name,
            "HFRMean": 0,
            "HFRStdDev": 0,
            "HFRBelowAutoAcceptLevel": -1,
            "FWHMMean": 0,
            "FWHMStdDev": 0,
            "FWHMBelowAutoAcceptLevel": -1,
            "EccentricityMean": 0,
            "EccentricityStdDev": 0,
            "EccentricityBelowAutoAcceptLevel": -1,
        }
        for name in FILTERS
    ],
    f"profiles/{PROFILE}/preview": [
        {
            "Id": None,
            "Name": None,
            "WaitPeriod": True,
            "StartTime": "2026-02-27T13:00:00-05:00",
            "EndTime": "2026-02-27T19:38:15.443681-05:00",
            "ExposurePlan": [],
        },
        {
            "Id": TARGET,
            "Name": "M 31",
            "WaitPeriod": False,
            "StartTime": "2026-02-27T19:38:15.443681-05:00",
            "EndTime": "2026-02-27T19:42:15.443681-05:00",
            "ExposurePlan": [{"FilterName": name, "Exposure": 60, "Count": 1} for name in FILTERS],
        },
    ],
}


@pytest.mark.parametrize("path", DOCUMENTED)
async def test_serves_the_documented_answer_with_its_keys_in_order(path: str) -> None:
    async with SimulatedApi(documentation_example()) as api, RawClient.connected(api) as client:
        answer = await client.get(f"/ts/v0/{path}")

    # Compared as text: equal values, equal order of keys, whole numbers without a decimal point.
    assert json.dumps(json.loads(answer.body)) == json.dumps(DOCUMENTED[path])


async def test_pretty_print_of_the_example_has_the_documented_shape() -> None:
    async with SimulatedApi(documentation_example(), pretty=True) as api, RawClient.connected(api) as client:
        answer = await client.get("/ts/v0/profiles")
        empty = await client.get("/ts/v0/profiles/53d28ce2-f175-40d9-b765-3ab410efb1de/projects")

    assert answer.body.decode() == json.dumps(DOCUMENTED["profiles"], indent=2).replace("\n", "\r\n")
    assert empty.body == b"[]"
