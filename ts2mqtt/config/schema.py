"""The configuration's JSON Schema, with which editors complete and check config.yaml."""

import json

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ts2mqtt.config.durations import DURATION_PATTERN, format_duration
from ts2mqtt.config.models import Config


def config_json_schema() -> str:
    """A JSON Schema document, draft 2020-12."""
    schema = Config.model_json_schema(schema_generator=_Generator)
    return json.dumps({"$schema": GenerateJsonSchema.schema_dialect, **schema}, indent=2) + "\n"


class _Generator(GenerateJsonSchema):
    """Describes a key that may be left out as a person may write it: also without a value, durations as text."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        kind = super().default_schema(schema)
        default = kind.pop("default", None)
        kinds = kind.get("anyOf", [kind])
        described: JsonSchemaValue = {"anyOf": [*(kind for kind in kinds if kind != _NOTHING), _NOTHING]}
        if default is not None:
            is_duration = any(kind.get("pattern") == DURATION_PATTERN for kind in kinds)
            described["default"] = format_duration(default) if is_duration else default
        return described


_NOTHING = {"type": "null"}
