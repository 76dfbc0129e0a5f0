"""Where operating systems differ: the event loop, the signals that end ts2mqtt, and what a console can show."""
