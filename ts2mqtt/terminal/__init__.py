"""What the demo shows: a screen that is folded from MQTT messages and drawn in the terminal, or plain lines."""
