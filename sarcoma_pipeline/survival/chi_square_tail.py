"""Tail probability of the chi-square distribution."""

from __future__ import annotations

from typing import Any


def tail(degrees: int, statistic: Any) -> Any:
    """Return the probability of at least this statistic under the chi-square distribution."""
    # Imported here: daemon and webserver load this module but run no tests, and scipy is slow to import.
    from scipy.special import chdtrc

    return chdtrc(degrees, statistic)
