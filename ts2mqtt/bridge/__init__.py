"""The bridge: what watches the rigs, what keeps the broker true, and the commands that need a broker."""
