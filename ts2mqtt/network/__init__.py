"""The machine's resolver, kept at a distance: no look-up of a name holds anything else up, not even the exit."""
