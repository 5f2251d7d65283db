"""Natural cubic splines of a number, for Cox models: the effect of age need not be a straight line.

The spline has declared knots and is straight beyond the outer ones. Its basis is cardinal: the function of a
knot is 1 there and 0 at every other knot. The coefficient of a knot is therefore the log hazard ratio of that
value against the reference knot, and the fitted values are those of R's ``ns()`` with the same knots.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.configuration import Covariate


def basis(values: ArrayLike, knots: Sequence[float]) -> NDArray[np.floating]:
    """Return the cardinal functions at each value, ``n × knots``.

    Args:
        values: ``n``.
        knots: ascending.
    """
    # Imported here: daemon and webserver load this module but fit no models, and scipy is slow to import.
    from scipy.interpolate import CubicSpline

    x = np.asarray(values, dtype=np.float64)
    curve = CubicSpline(knots, np.eye(len(knots)), bc_type="natural")
    inside = np.clip(x, knots[0], knots[-1])
    return curve(inside) + curve(inside, 1) * (x - inside)[:, None]


def columns(covariate: Covariate, values: ArrayLike) -> dict[str, NDArray[np.floating]]:
    """Return the basis by the name of the knot, without the reference's."""
    made = basis(values, covariate.knots)
    return {name: made[:, i] for i, name in enumerate(covariate.knot_names) if name != covariate.reference}
