"""Declare the rules of the audit of a paper, each with its id, its words and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Row = dict[str, str]
"""A row of the table of published numbers, with canonical numbers; missing values are empty texts."""

Verdict = Literal["contradiction", "tension", "by definition", "wording", "not computable", "consistent"]

RULES: dict[str, AuditRule] = {}
"""Every rule by its id, in the order of declaration."""


@dataclass(frozen=True)
class AuditRule:
    """A rule of arithmetic that printed numbers must obey.

    Attributes:
        id: stable name, ``subject.rule``.
        name: text in the column `check`.
        words: what must hold.
        source: the reference or theorem it follows from.
    """

    id: str
    name: str
    words: str
    source: str = "arithmetic"

    def __post_init__(self) -> None:
        """Register the rule.

        Raises:
            ValueError: another rule has the same id or name.
        """
        if self.id in RULES or self.name in {rule.name for rule in RULES.values()}:
            raise ValueError(f"rule {self.id} ({self.name}) is declared twice")
        RULES[self.id] = self

    def check(self, rows: list[Row], printed: str, expected: str, verdict: bool | Verdict) -> Check:
        """Return the result for some rows; True is consistent, False is a contradiction."""
        if isinstance(verdict, bool):
            verdict = "consistent" if verdict else "contradiction"
        return Check(self, rows, printed, expected, verdict)


@dataclass(frozen=True)
class Check:
    """One check: its rule and rows, the printed value, the expected one, and the verdict."""

    rule: AuditRule
    rows: list[Row]
    printed: str
    expected: str
    verdict: Verdict

    def as_row(self) -> dict[str, str]:
        """Return a row of `schemas.audit.PublishedAudit` without its position."""
        sections = list(dict.fromkeys(row["section"] for row in self.rows))
        first = self.rows[0]
        same = all(row["group/level"] == first["group/level"] for row in self.rows)
        level = first["group/level"] if same or self.rule is SAME_COUNT else ""
        return {
            "check": self.rule.name,
            "rule": self.rule.id,
            "ids": ";".join(dict.fromkeys(row["id"] for row in self.rows)),
            "section": ", ".join(sections),
            "what": ": ".join(part for part in (first["quantity"], level) if part and part != "all"),
            "printed": self.printed,
            "expected": self.expected,
            "verdict": self.verdict,
            "quote": first["quote"],
        }


_ALTMAN = "Altman and Bland, BMJ 2011; 343: d2304"
_GREENWOOD = "Greenwood's variance; Kalbfleisch and Prentice 2002, chapter 1"
_SETS = "arithmetic of sets"

READABLE = AuditRule("value.readable", "readable number", "A cell holds a number, a bound, n.s., NR or NE.")
POSSIBLE = AuditRule(
    "value.possible",
    "possible value",
    "A count is a whole number from 0 to its denominator, a percentage and a survival rate lie between 0 and "
    "100, a p value between 0 and 1, a ratio is not negative, a year has four digits, an age is below 130.",
    "range of the quantity",
)
PLAUSIBLE = AuditRule(
    "value.plausible",
    "plausible value",
    "A dose is at most 200 Gy, the energy of a photon beam at most 50 MV, a time at most 600 months, a "
    "margin of a target volume at most 10 cm, the slices of a planning CT at most 10 mm.",
    "radiotherapy: permanent implants reach 145 Gy, accelerators 25 MV, margins of sarcoma 4 cm",
)
WITHIN_LIMITS = AuditRule(
    "value.within-limits", "value within its limits", "The lower limit ≤ the value ≤ the upper limit."
)
RANGE = AuditRule(
    "range.contains",
    "range and quartiles",
    "Every value of a group, its median and its quartiles lie in the printed range of the group and of every "
    "larger group; the same group has one median.",
    "order statistics",
)
PERIOD = AuditRule("period.order", "start before end", "A period starts before it ends.")

PERCENT = AuditRule(
    "percent.of-count",
    "percentage of a count",
    "100 n / denominator, rounded to the printed decimals, is the printed percentage; a tie may go "
    "both ways.",
    "Brown and Heathers, Soc Psychol Personal Sci 2017; 8: 363 (GRIM)",
)
GRANULAR = AuditRule(
    "percent.granular",
    "percentage that a count can have",
    "Some whole number of the denominator gives the printed percentage.",
    "Brown and Heathers, Soc Psychol Personal Sci 2017; 8: 363 (GRIM)",
)
BLOCK = AuditRule(
    "percent.block",
    "percentages of a block",
    "The percentages of a block of Table 1 add up to what correct rounding gives.",
)
SAME_COUNT = AuditRule(
    "count.same", "same patients, same count", "A set of patients has the same count everywhere.", _SETS
)
DENOMINATOR = AuditRule(
    "count.denominator",
    "denominator",
    "A denominator is the count of the patients that it names, and the same for all levels of a variable. "
    "A smaller one needs a word on missing values.",
    _SETS,
)
SUM = AuditRule("count.sum", "parts and whole", "Disjoint groups add up to their printed union.", _SETS)
ENUMERATION = AuditRule(
    "count.enumeration",
    "enumerated parts",
    'Parts that the paper enumerates ("of the three …, two …, the third …") add up to their denominator.',
    _SETS,
)
SUBSET = AuditRule(
    "count.subset",
    "subgroup and group",
    "A subgroup is no larger than its group, and two groups of a whole share at least the sum of their "
    "counts less the whole.",
    "Fréchet's bounds",
)
SAME_AS = AuditRule(
    "count.same-as",
    "same patients by definition",
    "Two groups declared to be the same have one count.",
    _SETS,
)
LEVELS = AuditRule(
    "count.levels",
    "number of levels or covariates",
    "A printed number of levels or of covariates is that of the levels or covariates in the tables.",
)
TWO_BY_TWO = AuditRule(
    "test.table",
    "p value of a table of counts",
    "The p value is that of Pearson's chi-square test, with or without Yates's correction, of the likelihood "
    "ratio or of Fisher's exact test on the printed counts.",
    "Agresti, Categorical Data Analysis, 2013, chapter 3",
)

P_VALUE = AuditRule(
    "wald.p",
    "p value from HR and CI",
    "The p value is that of the Wald test: SE = ln(high / low) / 3.92, z = ln HR / SE. It fails only if no "
    "unrounded numbers fit the printed ratio, limits and p together.",
    _ALTMAN,
)
SYMMETRY = AuditRule(
    "wald.symmetry",
    "HR is the geometric mean of its CI",
    "A ratio is the geometric mean of its Wald limits, within rounding.",
    _ALTMAN,
)
RATIO = AuditRule(
    "wald.computable",
    "ratio with both limits",
    "A ratio is judged if it and both limits are numbers; zero, NE and NR leave nothing to compute.",
    _ALTMAN,
)
ZERO_P = AuditRule(
    "p.zero", "p value printed as zero", "No p value is zero; < 0.001 says what is known.", "ICMJE"
)
SAME_ESTIMATE = AuditRule(
    "estimate.same",
    "same estimate, same number",
    "An estimate has the same number everywhere, to the decimals of the less precise place.",
)
BORROWED = AuditRule(
    "estimate.borrowed",
    "numbers of another quantity",
    "A text that quotes an estimate quotes its own row of the tables and not that of another quantity.",
)
EVENTS = AuditRule(
    "events.least",
    "events that the interval needs",
    "The variance of a contrast of two groups is at least 1/d₁ + 1/d₀ ≥ 4/d, with d events in all.",
    "Schoenfeld, Biometrics 1983; 39: 499",
)
NESTED_ERROR = AuditRule(
    "events.nested-error",
    "more events, smaller error",
    "Of two endpoints the one with more events has the smaller standard errors.",
    "Schoenfeld, Biometrics 1983; 39: 499",
)
ERROR_RATIO = AuditRule(
    "events.error-ratio",
    "events by the errors' ratio",
    "The squared ratio of the standard errors of two endpoints is the inverse ratio of their events.",
    "Schoenfeld, Biometrics 1983; 39: 499",
)
BY_LEVEL = AuditRule(
    "events.by-level",
    "events by level of a factor",
    "Variance = 1/d of the level + 1/d of the reference: the events of the levels add up to all events.",
    "Schoenfeld, Biometrics 1983; 39: 499",
)
CRUDE = AuditRule(
    "ratio.crude",
    "hazard ratio and crude ratio",
    "A hazard ratio and the crude ratio of events agree in direction.",
)
PER_PARAMETER = AuditRule(
    "events.per-parameter",
    "events per parameter",
    "A model has at least 10 events per parameter.",
    "Peduzzi et al., J Clin Epidemiol 1995; 48: 1503",
)

RATE_INTERVAL = AuditRule(
    "survival.interval",
    "interval of a survival rate",
    "The interval is symmetric on one of the usual scales: log-log, log, logit, arcsine or plain, "
    "cut at 0 and 100.",
    _GREENWOOD,
)
RATE_PATIENTS = AuditRule(
    "survival.patients",
    "patients behind a survival rate",
    "Greenwood's variance is at least that of as many uncensored patients, S(1 − S)/n.",
    _GREENWOOD,
)
RATE_EVENTS = AuditRule(
    "survival.events",
    "events behind a survival rate",
    "The standard error of ln S is at least |ln S| / √d, with d events in all.",
    f"{_GREENWOOD}, and Cauchy's inequality",
)
RATE_ORDER = AuditRule(
    "survival.order",
    "order of the survival rates",
    "A survival curve does not rise, and an endpoint with more kinds of events has the lower one.",
    "definition of a survival curve",
)
MEDIAN_ORDER = AuditRule(
    "survival.medians",
    "order of the medians",
    "An endpoint with more kinds of events has the earlier median.",
    "definition of the endpoints",
)
MEDIAN_RATE = AuditRule(
    "survival.median-rate",
    "median and survival rate",
    "Before its median a survival curve is at or above 50 %, after it at or below.",
    "definition of the median",
)
FOLLOW_UP = AuditRule(
    "follow-up.reach",
    "within the follow-up",
    "A median or a rate lies within the longest follow-up. If only quartiles are printed, a median "
    "beyond the upper one is a tension: fewer than a quarter of the patients were observed as long.",
    "Kaplan and Meier, J Am Stat Assoc 1958; 53: 457",
)
CITATION = AuditRule(
    "citation.listed",
    "citation in the list",
    "A cited number is in the list of references, and every number up to it is cited.",
    "ICMJE (Vancouver style)",
)


def page() -> str:
    """Return the table of rules of docs/audit.md."""
    lines = ["| rule | check | what must hold | source |", "|---|---|---|---|"]
    lines += [f"| `{rule.id}` | {rule.name} | {rule.words} | {rule.source} |" for rule in RULES.values()]
    return "\n".join(lines) + "\n"
