"""A simulated observatory with the Target Scheduler API, and an embedded MQTT broker: for the demo and the tests."""
