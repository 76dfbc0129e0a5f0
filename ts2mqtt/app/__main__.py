"""Lets `python -m ts2mqtt.app` start a command inside the app."""

import sys

from ts2mqtt.app.start import main

sys.exit(main())
