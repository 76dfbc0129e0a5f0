"""What `ts2mqtt demo` starts, and its view in the terminal."""
