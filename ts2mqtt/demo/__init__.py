"""The command `ts2mqtt demo`: starts a broker, a simulated observatory and the bridge, and shows the messages."""
