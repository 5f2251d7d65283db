"""Fine and Gray's model of the subdistribution hazard, as a weighted partial likelihood.

Who had a competing event stays in the risk sets of later events, with the weight ``G(t−) / G(T−)``: the
probability of not being censored until ``t``, given that they were not until their event at ``T`` (Fine and
Gray 1999; Geskus 2011, R's ``finegray``). ``G`` is the Kaplan–Meier estimate of the censoring. The weight is
a factor of the patient times a factor of the event time, so that the sums over risk sets remain cumulative
sums and no row is copied.

Coefficients equal those of R's ``cmprsk::crr`` with Breslow's ties and of ``coxph`` on ``finegray`` with
Efron's. Standard errors are those of ``crr``: Fine and Gray's, which account for the estimation of ``G``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sarcoma_pipeline.survival.partial_likelihood import Floats, Maximum, PartialLikelihood, inverse
from schemas.statistics import Ties


class Subdistribution(PartialLikelihood):
    """The weighted partial likelihood of one cause."""

    def __init__(
        self,
        time: ArrayLike,
        event: ArrayLike,
        competing: ArrayLike,
        design: ArrayLike,
        censoring: Censoring,
        ties: Ties = "efron",
        left_out: tuple[ArrayLike, ArrayLike] = ((), ()),
    ) -> None:
        """Prepare the weights.

        Args:
            time: of any unit, ``n``.
            event: whether the time ended with an event of the cause, ``n``.
            competing: whether it ended with an event of another cause, ``n``.
            design: ``n × p``.
            censoring: when patients are censored; of all patients, also where the design has only some.
            ties: how events on the same day enter.
            left_out: time, and whether censored, of patients who count for the censoring only.

        Raises:
            ValueError: there is no event of the cause.
        """
        super().__init__(time, event, design, None, ties)
        times = np.asarray(time, dtype=np.float64)[self.order]
        others = np.asarray(competing, dtype=bool)[self.order]
        self._censoring = censoring
        self._times, self._censored = times, ~others
        self._censored[self.dying] = False
        self._left_out = (np.asarray(left_out[0], dtype=np.float64), np.asarray(left_out[1], dtype=bool))
        event_times = times[self._last]
        self._weight = np.where(others, 1 / censoring.before(times), 0.0)[:, None]
        self._factor = censoring.before(event_times)[:, None]
        # Patients descend by time: from this position on they have left before the event time.
        self._gone = np.searchsorted(-times, -event_times, side="right")
        # The number of event times after each patient's own.
        self._after = np.searchsorted(-event_times, -times, side="left")

    def over_risk_sets(self, values: Floats) -> Floats:
        """Sum over the patients of each death's risk set, those with a competing event by their weight."""
        weighted = np.cumsum((values * self._weight)[::-1], axis=0)[::-1]
        weighted = np.vstack([weighted, np.zeros((1, values.shape[1]))])
        return super().over_risk_sets(values) + (self._factor * weighted[self._gone])[self._group]

    def over_patients(self, values: Floats) -> Floats:
        """Sum over the risk sets that contain each patient, by the patient's weight in them."""
        per_time = self._factor * np.add.reduceat(values, self._starts)
        later = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(per_time, axis=0)])
        return super().over_patients(values) + self._weight * later[self._after]

    def covariance(self, found: Maximum) -> Floats:
        """Compute Fine and Gray's sandwich estimate.

        The influence of a patient on the score has two parts: their own residual, and that of the time of
        their censoring on the weights of all who had a competing event before.

        Raises:
            NoEstimate: the information is singular.
        """
        hazard, _ = self.hazards(found.coefficients)
        denominator = self.over_risk_sets(hazard)
        mean = self.over_risk_sets(hazard * self.design) / denominator
        through, towards = self.over_patients(1 / denominator), self.over_patients(mean / denominator)
        influence = hazard * (towards - self.design * through)
        # Who dies on one day is compared with the mean of that day, whatever their order.
        of_day = np.add.reduceat(mean, self._starts) / np.bincount(self._group)[:, None]
        influence[self.dying] += self.design[self.dying] - of_day[self._group]
        own, drift = self._of_censoring(hazard, mean, denominator)
        influence += self._influence(own, drift, self._times, self._censored)
        others = self._influence(own, drift, *self._left_out)
        bread = inverse(found.at.information)
        return bread @ (influence.T @ influence + others.T @ others) @ bread

    def _influence(self, own: Floats, drift: Floats, times: Floats, censored: NDArray[np.bool_]) -> Floats:
        """Return the part of each patient's influence that comes from the estimate of the censoring."""
        place = np.searchsorted(self._censoring.times, times, side="right")
        made = -drift[place]
        made[censored] += own[place[censored] - 1]
        return made

    def _of_censoring(self, hazard: Floats, mean: Floats, denominator: Floats) -> tuple[Floats, Floats]:
        """Return what a censoring at each of its times changes, and what being at risk of it does."""
        censoring = self._censoring
        at, counts, at_risk = censoring.times, censoring.counts, censoring.at_risk
        # Over the events after each time of censoring: the hazard of the cause, and the mean times it.
        event_times = self._times[self._last]
        steps = self._factor * np.add.reduceat(np.hstack([1 / denominator, mean / denominator]), self._starts)
        later = np.vstack([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
        rest = later[np.searchsorted(-event_times, -at, side="right")]
        # Over the competing events before each time of censoring.
        weighted = (self._weight * hazard) * np.hstack([np.ones_like(hazard), self.design])
        before = np.vstack([np.cumsum(weighted[::-1], axis=0)[::-1], np.zeros((1, weighted.shape[1]))])
        gone = before[np.searchsorted(-self._times, -at, side="right")]
        q = gone[:, 1:] * rest[:, :1] - gone[:, :1] * rest[:, 1:]
        own = q / at_risk[:, None]
        drift = np.vstack([np.zeros((1, q.shape[1])), np.cumsum(own * (counts / at_risk)[:, None], axis=0)])
        return own, drift


class Censoring:
    """The distribution of the times of censoring.

    Attributes:
        times: distinct times of censoring, ascending.
        counts: patients censored at each.
        at_risk: patients with at least that time.
    """

    def __init__(self, time: ArrayLike, ended: ArrayLike, *, events_first: bool) -> None:
        """Estimate it by Kaplan and Meier's method.

        Args:
            time: of all patients.
            ended: whether it ended with an event of any cause.
            events_first: whether who has an event on a day is no longer at risk of being censored on it, as
                in R's ``finegray``, or still is, as in ``crr``.
        """
        times, events = np.asarray(time, dtype=np.float64), np.asarray(ended, dtype=bool)
        self.times, self.counts = np.unique(times[~events], return_counts=True)
        self.at_risk = len(times) - np.searchsorted(np.sort(times), self.times, side="left")
        if events_first:
            at = np.sort(times[events])
            self.at_risk = self.at_risk - (
                np.searchsorted(at, self.times, side="right") - np.searchsorted(at, self.times, side="left")
            )
        self._free = np.concatenate([[1.0], np.cumprod(1 - self.counts / self.at_risk)])

    def before(self, time: Floats) -> Floats:
        """Return the probability of being uncensored just before each time."""
        return self._free[np.searchsorted(self.times, time, side="left")]
