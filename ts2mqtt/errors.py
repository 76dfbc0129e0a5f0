"""The one exception tree: everything that ts2mqtt raises on purpose is a Ts2mqttError."""


class Ts2mqttError(Exception):
    """Root of all errors: `message` says what is wrong, `advice` what the user can do; `advice` may be empty."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}; {self.advice}" if self.advice else self.message


class ConfigError(Ts2mqttError):
    """The command line or the configuration is wrong; `faults` has one line for each thing that is."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class RigError(Ts2mqttError):
    """A rig's API did not give what was asked for; concerns this rig alone."""


class RigUnreachableError(RigError):
    """Nothing answers at the rig's URL, or not in time."""


class RigGoneError(RigUnreachableError):
    """No connection can be made at all: the rig's PC, or its N.I.N.A., is off."""


class NotTheApiError(RigError):
    """Something answers, but it is not the Target Scheduler API."""


class ApiFailureError(RigError):
    """The API answered a request with a failure of its own, or with something that cannot be read."""


class NotFoundError(ApiFailureError):
    """The API does not know the id that was asked for."""


class NinaError(Ts2mqttError):
    """N.I.N.A.'s Advanced API did not give what was asked for, or broke the connection; live events are optional."""


class NotTheAdvancedApiError(NinaError):
    """Something answers, but it is not the Advanced API, or a version of it that is not spoken."""


class OtherNinaError(NinaError):
    """The Advanced API of another N.I.N.A. than that of the rig."""


class BrokerError(Ts2mqttError):
    """The MQTT broker did not do what was asked."""


class BrokerUnreachableError(BrokerError):
    """No connection to the broker could be made, or it broke."""


class LoginRefusedError(BrokerError):
    """The broker refuses this user, password or client id."""


class QosRefusedError(BrokerError):
    """The broker does not take a last will with this QoS; only MQTT 5 has an answer for that."""


class PublishRefusedError(BrokerError):
    """The broker took a message and said that it does not keep it; only MQTT 5 has an answer for that."""


class OtherBridgeError(BrokerError):
    """Another bridge is at work under the same base topic."""


class NoSignOfLifeError(Ts2mqttError):
    """No running bridge has shown lately that it is alive."""
