"""Difference between two versions of a component's data, to be sent in place of the second; see `difference.js`."""

from __future__ import annotations

from typing import Any


def difference(before: Any, after: Any) -> dict[str, Any]:
    """What makes `after` of `before`: {"value": after}; of a list {"from": i, "items": after[i:]}; of a mapping with
    the same keys {"keys": {key: difference}} for the values that differ."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return {"keys": {key: difference(before[key], after[key]) for key in after if before[key] != after[key]}}
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(before, after, strict=False)
        equal = next((i for i, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after)))
        return {"from": equal, "items": after[equal:]}
    return {"value": after}
