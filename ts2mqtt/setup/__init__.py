"""Asks for broker and rig in a terminal, tries each answer, and writes a configuration."""

from ts2mqtt.setup.next_steps import Installation
from ts2mqtt.setup.start import make_sure_of_terminal, setup
from ts2mqtt.setup.terminal import Terminal

__all__ = ["Installation", "Terminal", "make_sure_of_terminal", "setup"]
