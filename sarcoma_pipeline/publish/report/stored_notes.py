"""Translate the notes of the tables of estimates: why there is no estimate, and warnings."""

from __future__ import annotations

from schemas.language import marked, stored

_NOTES = (
    marked("no estimate: {coefficients} coefficients, but only {events} events"),
    marked("no estimate: the covariates before it tell it completely (collinear)"),
    marked("no estimate: the data do not bound the ratio"),
    marked("no estimate: the robust variance is 0"),
    marked("no estimate in {failed} of {sets} imputed data sets"),
    marked("in {count} of {sets} imputed data sets: {reason}"),
    marked("no value of {columns} is known"),
    marked("no estimate (collinear)"),
    marked("no estimate: {reason}"),
    marked("no event in the sample"),
    marked("no event or no contrast in the data set"),
    marked("no step increases the penalised likelihood"),
    marked("a coefficient tends to infinity"),
    marked("a covariate has no variance among the patients at risk"),
    marked("a covariate has the same value in all patients of the sample"),
    marked("at every event time all patients at risk have the event"),
    marked("the eigenvalues of the information were not found"),
    marked("the information is not finite"),
    marked("the information is singular"),
    marked("too few different event times for the test"),
    marked("Newton's method does not settle"),
    marked("no weights: {reason}"),
    marked("fewer than two patients in a group"),
    marked("the covariates tell the treatment completely"),
    marked("some covariates tell the treatment completely: their weights rest on Firth's penalty"),
    marked("only this group has patients with {levels}: nobody is there to compare with"),
    marked(
        "{rare} of {n} patients got a treatment that patients like them get in fewer than {share} % of "
        "cases: their weights are large and the comparison rests on few patients"
    ),
    marked("the weights leave as much information as {size} of {n} patients"),
    marked("one group has only {least} event: the ratio says little"),
    marked("one group has only {least} events: the ratio says little"),
    marked("no test: {reason}"),
    marked("no event in the model"),
    marked("no event at the reference level: the hazard ratio tends to infinity"),
    marked("no event at the level: the hazard ratio tends to 0"),
    marked("nothing to estimate"),
    marked("the covariates are collinear"),
    marked("the covariates are collinear or separate the events"),
    marked("the information is not finite: a coefficient tends to infinity"),
    marked("the hazards are too different to be added: a coefficient tends to infinity"),
    marked(
        "{events} events for {coefficients} coefficients: fewer than {least} each, estimates are unstable"
    ),
    marked("{lost} of {resamples} resamples had no estimate and are left out"),
    marked("{lost} of {resamples} resamples had no finite predictor and are left out"),
    marked("the loss to follow-up differs by group (log-rank test p = {p}): censoring may be informative"),
    marked("the loss to follow-up differs by group (log-rank test p < {p}): censoring may be informative"),
    marked(
        "{late} of {deaths} deaths that count as an event came more than {days} days after the last "
        "examination, or without any"
    ),
    marked("The joint test of {term} is withheld."),
    marked(
        "known only from {milestone} on, while patients are at risk before: declare that day as the entry of "
        "the endpoint, or a landmark"
    ),
    marked("known only when the time has ended: it cannot explain the time"),
    marked("no variance: the same value in all patients"),
    marked("no variance: no patient at the level"),
    marked("no variance: no patient at the reference level"),
    marked("no estimate"),
    marked("diagnosed after the data cut-off"),
    marked("a time outside the bounds of the release gate"),
    marked("never free of disease"),
    marked("ended before the landmark"),
    marked("ended before the {milestone}"),
    marked("no {milestone}"),
    marked("Table {number_of}"),
    marked("local and distant relapse"),
    marked("local and regional relapse"),
    marked("regional and distant relapse"),
    marked("local and regional and distant relapse"),
)
_WORDS = (
    marked("median"), marked("Q1–Q3"), marked("n (%)"), marked("survival"), marked("hazard ratio"),
    marked("observed"), marked("reverse Kaplan–Meier"),
    marked("concordance"), marked("calibration slope"), marked("enough"), marked("few"), marked("too few"),
    marked("no failure"), marked("death without relapse"), marked("relapse without a date"),
    marked("complete cases"), marked("withheld"),
    marked("radiotherapy start"), marked("radiotherapy end"), marked("definitive resection"),
    marked("diagnosis"),
    marked("logistic regression"), marked("logistic regression with Firth's penalty"),
    marked("Harrell's C"), marked("Uno's C"), marked("observed / expected"),
    marked("holm"), marked("false discovery rate"), marked("Cox, Efron"), marked("Cox, Breslow"),
    marked("equal"), marked("close"), marked("within rounding"), marked("differs"), marked("not computable"),
    marked("paper contradicts itself"), marked("contradiction"), marked("tension"), marked("by definition"),
    marked("wording"), marked("consistent"),
    marked("abstract"), marked("methods"), marked("results text"), marked("discussion"),
    marked("female"), marked("male"), marked("extremities"), marked("trunk"), marked("others"),
    marked("preoperative"), marked("postoperative"), marked("liposarcoma"), marked("myxofibrosarcoma"),
    marked("synovial sarcoma"), marked("unknown"), marked("superficial"), marked("deep"),
)  # fmt: skip
"""Words of the tables of estimates that the report prints; levels with a label in study.toml have that."""
"""Notes as the tables of estimates have them; a special note stands before a general one."""


def told(note: str) -> str:
    """Return a note in the language that is set; a reason within it, too."""
    return stored(note, _NOTES)
