"""Multiple imputation by chained equations: each variable is drawn from its regression on all others.

Numbers are imputed by predictive mean matching, so that no imputed value is one that nobody has; levels by
multinomial logistic regression. Coefficients are drawn from their posterior distribution before each use, so
that the imputations are proper in Rubin's sense (van Buuren, Flexible Imputation of Missing Data, 2018,
sections 3.4 and 3.6). A weak normal prior keeps the coefficients of a level finite that a predictor separates
from the others (White, Daniel and Royston 2010 add patients for the same purpose).

Libraries are not used: statsmodels' ``MICEData`` matches predicted means, which levels without an order do
not have, and draws from numpy's global state; scikit-learn's ``IterativeImputer`` draws no levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

DONORS = 5
"""Patients with the nearest predictions, one of whom gives the value (as in ``mice``)."""
_RIDGE = 1e-5
"""Share of the diagonal added to ``X'X`` (as in ``mice``)."""
_PRIOR, _PRIOR_OF_INTERCEPT = 2.5, 10.0
"""Standard deviations of the prior of log odds per standard deviation of a predictor, and of the intercept
(scales of Gelman and others, Ann Appl Stat 2008; 2: 1360)."""
_STEPS, _SETTLED = 50, 1e-10
"""Newton's steps for the multinomial regression, and the squared step in standard errors that ends them."""


@dataclass(frozen=True)
class Variable:
    """A variable with missing values.

    Attributes:
        values: numbers, or positions of levels; ``n``. Missing ones may have any value.
        missing: ``n``.
        levels: number of levels; 0 for a number.
    """

    values: Floats
    missing: NDArray[np.bool_]
    levels: int = 0


def impute(
    variables: Mapping[str, Variable],
    predictors: Floats,
    *,
    imputations: int,
    iterations: int,
    seed: int,
) -> list[dict[str, Floats]]:
    """Return the values of all variables, without missing ones, in each imputed data set.

    Args:
        variables: name to variable; each with at least one known value. Put the patients in an order that
            depends on their values only, because the draws follow it.
        predictors: other columns from which they are imputed, ``n × p``.
        imputations: number of data sets.
        iterations: rounds through all variables before a data set is kept.
        seed: of the draws; each data set has a stream of its own.
    """
    # Variables with few missing values first; their names decide between equal numbers.
    order = sorted(variables, key=lambda name: (int(variables[name].missing.sum()), name))
    incomplete = [name for name in order if variables[name].missing.any()]
    made = []
    for number in range(imputations):
        rng = np.random.default_rng([seed, number])
        state = {name: variables[name].values.copy() for name in order}
        for name in incomplete:
            gone = variables[name].missing
            state[name][gone] = rng.choice(state[name][~gone], int(gone.sum()))
        start: dict[str, Floats] = {}
        for _ in range(iterations):
            for name in incomplete:
                others = [_columns(state[n], variables[n].levels) for n in order if n != name]
                x = np.column_stack([predictors, *others])
                _draw(state, name, variables[name], x, rng, start)
        made.append(state)
    return made


def _columns(values: Floats, levels: int) -> Floats:
    if not levels:
        return values[:, None]
    return (values[:, None] == np.arange(1, levels)).astype(np.float64)


def _draw(
    state: dict[str, Floats],
    name: str,
    variable: Variable,
    x: Floats,
    rng: np.random.Generator,
    start: dict[str, Floats],
) -> None:
    """Replace the missing values of one variable."""
    gone = variable.missing
    mean, spread = x[~gone].mean(axis=0), x[~gone].std(axis=0)
    # The spread of equal numbers may be a rounding error.
    kept = np.ptp(x[~gone], axis=0) > 0
    z = (x[:, kept] - mean[kept]) / spread[kept]
    z = np.column_stack([np.ones(len(z)), z])
    if not variable.levels:
        state[name][gone] = matched(z[~gone], state[name][~gone], z[gone], rng)
        return
    first = start.get(name)
    if first is None or first.shape[0] != z.shape[1]:
        first = np.zeros((z.shape[1], variable.levels))
    drawn, start[name] = levels(z[~gone], state[name][~gone].astype(int), z[gone], rng, first)
    state[name][gone] = drawn


def matched(known: Floats, y: Floats, unknown: Floats, rng: np.random.Generator) -> Floats:
    """Draw numbers by predictive mean matching.

    Of patients who are equally near, chance chooses the donors, as in ``mice``. In their order, those with
    the shortest times would always be chosen.

    Args:
        known: predictors of the patients with a value, with a column of ones; ``n × p``.
        y: their values, ``n``.
        unknown: predictors of the others, ``k × p``.
        rng: source of the draws.
    """
    product = known.T @ known
    inverse = np.linalg.inv(product + _RIDGE * np.diag(np.diag(product)))
    inverse = (inverse + inverse.T) / 2
    best = inverse @ (known.T @ y)
    residual = y - known @ best
    degrees = max(len(y) - known.shape[1], 1)
    sigma = np.sqrt(float(residual @ residual) / rng.chisquare(degrees))
    drawn = best + sigma * (np.linalg.cholesky(inverse) @ rng.standard_normal(len(best)))
    predicted, wanted = known @ best, unknown @ drawn
    distance = np.abs(predicted[None, :] - wanted[:, None])
    donors = min(DONORS, len(y))
    # Rounded, because equal predictors may give sums that differ in the last digit.
    apart = np.round(distance / (np.ptp(y) or 1.0), 10)
    chance = rng.spawn(1)[0].random(distance.shape)
    nearest = np.lexsort((chance, apart), axis=1)[:, :donors]
    return y[nearest[np.arange(len(wanted)), rng.integers(0, donors, len(wanted))]]


def levels(
    known: Floats, y: NDArray[np.int_], unknown: Floats, rng: np.random.Generator, start: Floats
) -> tuple[Floats, Floats]:
    """Draw levels by multinomial logistic regression with a weak normal prior.

    Args:
        known: standardised predictors of the patients with a level, with a column of ones; ``n × p``.
        y: positions of their levels, ``n``.
        unknown: predictors of the others, ``k × p``.
        rng: source of the draws.
        start: coefficients from which the search starts, ``p × levels``.

    Returns:
        Positions of the levels drawn, and the coefficients at the maximum, ``p × levels``.
    """
    p, count = start.shape
    best, root = _posterior(known, np.eye(count)[y], start)
    deviation = np.linalg.solve(root.T, rng.standard_normal(p * count))
    drawn = best + deviation.reshape(count, p).T
    cumulative = _shares(unknown @ drawn).cumsum(axis=1)
    chosen = (rng.random(len(unknown))[:, None] > cumulative).sum(axis=1)
    return np.minimum(chosen, count - 1).astype(np.float64), best


def _posterior(x: Floats, indicators: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return the maximum of the posterior, and the Cholesky root of its information, level by level."""
    p, count = start.shape
    penalty = np.full(p, _PRIOR**-2)
    penalty[0] = _PRIOR_OF_INTERCEPT**-2
    best = start.copy()
    for _ in range(_STEPS):
        shares = _shares(x @ best)
        score = x.T @ (indicators - shares) - penalty[:, None] * best
        root = np.linalg.cholesky(_information(x, shares, penalty))
        step = np.linalg.solve(root.T, np.linalg.solve(root, score.T.reshape(-1)))
        size = float(step @ score.T.reshape(-1))
        # A long step can lead too far where the likelihood is not quadratic.
        best = best + step.reshape(count, p).T * min(1.0, 5 / max(np.sqrt(max(size, 0.0)), 1e-300))
        if size < _SETTLED:
            break
    return best, np.linalg.cholesky(_information(x, _shares(x @ best), penalty))


def _information(x: Floats, shares: Floats, penalty: Floats) -> Floats:
    p, count = x.shape[1], shares.shape[1]
    made = np.zeros((count, p, count, p))
    for a in range(count):
        for b in range(a, count):
            weight = shares[:, a] * ((a == b) - shares[:, b])
            made[a, :, b, :] = made[b, :, a, :] = x.T @ (weight[:, None] * x)
        made[a, :, a, :] += np.diag(penalty)
    return made.reshape(count * p, count * p)


def _shares(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def nelson_aalen(time: Sequence[float] | Floats, event: NDArray[np.bool_], entry: Floats | None) -> Floats:
    """Return the cumulative hazard to which each patient was exposed: from entry to the last day.

    It stands for the survival time in the imputation (White and Royston, Stat Med 2009; 28: 1982).

    Args:
        time: last day of each patient, ``n``.
        event: whether it ended with an event, ``n``.
        entry: the patient is at risk only after this day; NaN means from the beginning. None if for all.
    """
    days = np.asarray(time, dtype=np.float64)
    began = np.full(len(days), -np.inf) if entry is None else np.where(np.isnan(entry), -np.inf, entry)
    when, deaths = np.unique(days[event], return_counts=True)
    at_risk = len(days) - np.searchsorted(np.sort(days), when, side="left")
    at_risk = at_risk - (len(days) - np.searchsorted(np.sort(began), when, side="left"))
    steps = np.concatenate([[0.0], np.cumsum(deaths / at_risk)])
    upto = steps[np.searchsorted(when, days, side="right")]
    return upto - steps[np.searchsorted(when, began, side="right")]
