"""Names for exposure plans, which the API gives none: stable, unique within a target, safe in topics and ids."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_SLUG = 40


def exposure_plan_keys(plans: Iterable[tuple[str | None, float | None]]) -> tuple[str, ...]:
    """A key for each (template, exposure in seconds), in the plans' order: `lum_60`, a second one `lum_60_2`.

    A template's name that loses something on the way to [a-z0-9_] also gives a few digits of its hash, so that
    `Hα` and `Hβ` differ whatever stands beside them.
    """
    keys: list[str] = []
    taken: set[str] = set()
    for template, exposure_s in plans:
        stem = f"{_slug(template or '')}_{_seconds(exposure_s)}"
        key, number = stem, 1
        while key in taken:
            number += 1
            key = f"{stem}_{number}"
        taken.add(key)
        keys.append(key)
    return tuple(keys)


def _slug(template: str) -> str:
    lowered = template.strip().lower()
    ascii_only = unicodedata.normalize("NFKD", lowered).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")
    faithful = bool(slug) and len(slug) <= _LONGEST_SLUG and re.sub(r"[ _-]+", "_", lowered).strip("_") == slug
    if faithful:
        return slug
    digest = blake2b(lowered.encode(errors="surrogatepass"), digest_size=2).hexdigest()
    return f"{slug[:_LONGEST_SLUG] or 'plan'}_{digest}"


def _seconds(exposure_s: float | None) -> str:
    if exposure_s is None:
        return "unknown"
    return f"{exposure_s:.3f}".rstrip("0").rstrip(".").replace(".", "_")
