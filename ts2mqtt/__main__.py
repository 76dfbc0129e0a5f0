"""Lets `python -m ts2mqtt` do what the console script does."""

import sys

from ts2mqtt.cli import main

sys.exit(main())
