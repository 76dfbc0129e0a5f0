"""What the bridge needs of a broker, shown with every broker that is installed: `make test-brokers`."""
