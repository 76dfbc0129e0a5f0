"""What a person reads in the log: its form, and failures that are told once."""
