"""A simulated observatory that speaks the Target Scheduler API, for tests, for `simulate` and for `demo`."""
