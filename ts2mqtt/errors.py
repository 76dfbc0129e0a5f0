"""The one exception tree: everything that ts2mqtt raises on purpose is a Ts2mqttError."""


class Ts2mqttError(Exception):
    """Root of all errors; its text is meant for the user and says what to do."""


class ConfigError(Ts2mqttError):
    """The command line or the configuration is wrong; the text holds one line for each fault."""


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


class BrokerError(Ts2mqttError):
    """The MQTT broker did not do what was asked."""


class BrokerUnreachableError(BrokerError):
    """No connection to the broker could be made, or it broke."""


class LoginRefusedError(BrokerError):
    """The broker refuses this user, password or client id."""


class OtherBridgeError(BrokerError):
    """Another bridge is at work under the same base topic."""
