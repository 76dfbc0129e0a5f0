"""The container image as an engine runs it: `make test-container`."""
