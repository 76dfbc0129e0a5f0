"""What ts2mqtt costs, beside the least that any program on the same libraries could cost: `python -m benchmarks`."""
