"""The tail of the chi-square distribution."""

from __future__ import annotations

from typing import Any


def tail(degrees: int, statistic: Any) -> Any:
    """Probability of at least this statistic under chi-square with so many degrees of freedom."""
    # The code location is loaded by daemon and webserver, which test nothing.
    from scipy.special import chdtrc

    return chdtrc(degrees, statistic)
