"""Gives up root: the Supervisor lets root alone read the options, and the bridge needs no rights at all."""

from __future__ import annotations

import os

from ts2mqtt.errors import ConfigError


def become(user_id: int) -> None:
    """Makes this process, and what replaces it, that user, in the group of the same number and in no other."""
    try:
        os.setgroups([])
        os.setgid(user_id)
        os.setuid(user_id)
    except PermissionError as error:
        raise ConfigError(
            f"cannot become user {user_id}: {error.strerror}; leave --user out, or start as root"
        ) from error
