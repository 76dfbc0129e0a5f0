"""The devices as the REST calls show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina.json_text import NAN
from ts2mqtt.simulator.wire import net_time

if TYPE_CHECKING:
    from ts2mqtt.simulator.nina.process import ProcessState
    from ts2mqtt.simulator.rows import JsonValue
    from ts2mqtt.simulator.wire import JsonObject

_NEVER = "0001-01-01T00:00:00"
_PIXEL_SCALE_ARCSEC = 1.65
_GUIDING_RMS_PX = {"RA": 0.22, "Dec": 0.11, "Total": 0.25, "PeakRA": 0.84, "PeakDec": 0.49}


def camera(state: ProcessState, now: datetime) -> JsonObject:
    """`now` gives the time zone; a camera that is not connected has NaN and no time."""
    end = state.exposes_until
    exposes = end is not None and now < end
    connected = state.devices_connected
    return {
        "TargetTemp": 0,
        "AtTargetTemp": connected,
        "CanSetTemperature": connected,
        "HasShutter": False,
        "Temperature": -10.0 if connected else NAN,
        "Gain": 100 if connected else -1,
        "DefaultGain": 100 if connected else -1,
        "ElectronsPerADU": 0.24286292493343353 if connected else NAN,
        "BinX": 1,
        "BitDepth": 16 if connected else 0,
        "BinY": 1,
        "CanSetOffset": connected,
        "CanGetGain": connected,
        "OffsetMin": 0,
        "OffsetMax": 240 if connected else 0,
        "Offset": 50 if connected else -1,
        "DefaultOffset": 50 if connected else -1,
        "USBLimit": 100 if connected else -1,
        "IsSubSampleEnabled": False,
        "CameraState": ("Exposing" if exposes else "Idle") if connected else "NoState",
        "XSize": 6248 if connected else -1,
        "YSize": 4176 if connected else -1,
        "PixelSize": 3.76 if connected else NAN,
        "HasBattery": False,
        "Battery": -1,
        "GainMin": 0,
        "GainMax": 700 if connected else 0,
        "CanSetGain": connected,
        "Gains": [],
        "CoolerOn": connected,
        "CoolerPower": 66.0 if connected else NAN,
        "HasDewHeater": connected,
        "DewHeaterOn": False,
        "TemperatureSetPoint": -10.0 if connected else NAN,
        "ReadoutModes": ["Default"],
        "IsExposing": exposes,
        "ExposureEndTime": net_time(end, 5, now.tzinfo or UTC) if end is not None else _NEVER,
        "LastDownloadTime": 0.0221317 if connected else -1.0,
        "SensorType": "Monochrome",
        "SupportedActions": [],
        **_connection("ZWO ASI2600MM Pro", connected=connected),
    }


def safety_monitor(state: ProcessState) -> JsonObject:
    """`IsSafe` is false while the monitor is not connected."""
    connected = state.monitor_connected
    return {
        "IsSafe": connected and state.is_safe,
        "SupportedActions": [],
        **_connection("Cloud sensor", connected=connected),
    }


def guider(state: ProcessState) -> JsonObject:
    connected = state.devices_connected
    rms: JsonObject = {name: _error(pixels if connected else 0.0) for name, pixels in _GUIDING_RMS_PX.items()}
    running = "Guiding" if state.is_guiding else "Stopped"
    return {
        **_connection("PHD2", connected=connected),
        "CanClearCalibration": connected,
        "CanSetShiftRate": connected,
        "SupportedActions": [],
        "RMSError": rms,
        "PixelScale": _PIXEL_SCALE_ARCSEC if connected else NAN,
        "State": running if connected else None,
    }


def _error(pixels: float) -> JsonValue:
    return {"Pixel": pixels, "Arcseconds": pixels * _PIXEL_SCALE_ARCSEC}


def _connection(name: str, *, connected: bool) -> JsonObject:
    """A device that is not connected has no name; the plugin leaves out what is null."""
    shown = name if connected else None
    return {"Connected": connected, "Name": shown, "DisplayName": shown, "DeviceId": shown}
