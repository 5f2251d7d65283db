"""Write pieces of TOML: texts, lists and inline tables, quoted so that any header is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def text(value: str) -> str:
    """Quote a text as a basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def texts(values: Sequence[str]) -> str:
    """Write a list of texts."""
    return f"[{', '.join(text(v) for v in values)}]"


def inline(values: Mapping[str, str]) -> str:
    """Write an inline table of texts."""
    if not values:
        return "{}"
    pairs = (f"{key if _BARE.fullmatch(key) else text(key)} = {text(value)}" for key, value in values.items())
    return f"{{ {', '.join(pairs)} }}"
