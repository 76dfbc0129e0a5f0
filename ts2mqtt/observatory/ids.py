"""What ids look like: those of rigs, which a user chooses, and those of profiles, projects and targets."""

KINDS = ("profile", "project", "target")
"""What a rig has, and what stands before an id in topics and in Home Assistant's ids."""

RIG_ID_PATTERN = "[a-z0-9_-]{1,64}"

# It becomes part of topics and entity ids: nothing but what a GUID is made of (or a plain number, should a later
# version of the API use one).
THING_ID_PATTERN = "[0-9A-Za-z-]{1,64}"
"""The id of a profile, project or target."""

BRIDGE_ID = "bridge"
"""Stands where a rig's id would, for the bridge itself."""

RESERVED_RIG_IDS = frozenset({BRIDGE_ID, "status", "command"})
"""What stands beside the rigs below the base topic."""

RESERVED_IN_RIG_IDS = tuple(f"_{kind}_" for kind in KINDS)
"""What joins a rig's id to that of a thing in Home Assistant's ids."""
