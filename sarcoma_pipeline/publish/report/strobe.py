"""The checklists STROBE and RECORD: items that the report answers, and items left to the authors.

STROBE for cohort studies: von Elm et al., PLoS Med 2007; 4: e296. RECORD, for routinely collected data:
Benchimol et al., PLoS Med 2015; 12: e1001885. The items are abridged.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One item of a checklist.

    Attributes:
        number: number of the item.
        asks: what it asks for.
        sections: sections that can answer it, in order of preference; empty if only the authors can.
        answer: how it is answered, or what the authors must add.
    """

    number: str
    asks: str
    sections: tuple[str, ...]
    answer: str


_AUTHORS = "Left to the authors."

ITEMS = (
    Item("1a", "Design in the title or abstract", ("methods",), "The description of the study names it."),
    Item(
        "1b", "Balanced abstract", ("summary",), "Numbers of the summary; the words are left to the authors."
    ),
    Item("2", "Background and rationale", (), _AUTHORS),
    Item("3", "Objectives and hypotheses", (), _AUTHORS),
    Item("4", "Study design", ("methods",), "From the configuration."),
    Item(
        "5",
        "Setting, locations, dates",
        ("methods",),
        "Window and sources; the centre is left to the authors.",
    ),
    Item(
        "6a", "Eligibility, selection, follow-up", ("methods",), "Criteria in their order, censoring rules."
    ),
    Item("6b", "Matched studies", ("methods",), "Not applicable: no matching."),
    Item(
        "7",
        "Outcomes, exposures, confounders defined",
        ("methods",),
        "Endpoints and covariates as configured.",
    ),
    Item("8", "Data sources and measurement", ("methods",), "Kinds of sources."),
    Item("9", "Bias", (), _AUTHORS),
    Item("10", "Study size", ("participants",), "All eligible patients are analysed; see the flow diagram."),
    Item(
        "11",
        "Quantitative variables",
        ("methods",),
        "Numbers enter the models linearly; groups as configured.",
    ),
    Item("12a", "Statistical methods", ("methods",), "Written from the configuration."),
    Item(
        "12b",
        "Subgroups and interactions",
        ("subgroups",),
        "Curves and log-rank tests; interactions are not tested.",
    ),
    Item(
        "12c",
        "Missing data",
        ("methods",),
        "Complete cases; the diagnostics give the number of patients left out.",
    ),
    Item("12d", "Loss to follow-up", ("follow-up", "methods"), "Completeness by endpoint and group."),
    Item(
        "12e",
        "Sensitivity analyses",
        ("sensitivity",),
        "Every other assumption, partial dates at both ends, other ways to censor, complete cases.",
    ),
    Item("13a", "Numbers at each stage", ("participants",), "Flow diagram."),
    Item("13b", "Reasons for non-participation", ("participants",), "First criterion not fulfilled."),
    Item("13c", "Flow diagram", ("participants",), "Flow diagram."),
    Item("14a", "Characteristics of participants", ("participants",), "Table 1."),
    Item("14b", "Missing data per variable", ("participants",), "Table of missing values."),
    Item("14c", "Follow-up time", ("survival",), "Median, observed and reverse Kaplan–Meier."),
    Item(
        "15",
        "Outcome events over time",
        ("survival",),
        "Curves with events under them; kinds of first events.",
    ),
    Item(
        "16a",
        "Unadjusted and adjusted estimates",
        ("models",),
        "Univariable beside multivariable hazard ratios.",
    ),
    Item("16b", "Category boundaries", ("methods",), "No continuous variable is categorised."),
    Item("16c", "Absolute risk", ("survival",), "Survival at the horizons."),
    Item(
        "17",
        "Other analyses",
        ("competing", "subgroups", "sensitivity"),
        "Competing risks, subgroups, sensitivity.",
    ),
    Item("18", "Key results", ("summary",), "Numbers of the summary; the words are left to the authors."),
    Item(
        "19",
        "Limitations",
        ("limits",),
        "What no rule can know, with its share; direction and size of bias are left to the authors.",
    ),
    Item("20", "Interpretation", (), _AUTHORS),
    Item("21", "Generalisability", (), _AUTHORS),
    Item("22", "Funding", (), _AUTHORS),
    Item("RECORD 1.1", "Type of data in title or abstract", ("methods",), "Kinds of sources."),
    Item(
        "RECORD 1.2",
        "Region and time frame",
        (),
        "The time window is in the methods; the region is left to the authors.",
    ),
    Item("RECORD 1.3", "Linkage in title or abstract", ("methods",), "Sources that were linked."),
    Item(
        "RECORD 6.1",
        "Codes that select the population",
        ("methods",),
        "study.toml and the release’s code lists.",
    ),
    Item("RECORD 6.2", "Validation of codes", (), _AUTHORS),
    Item("RECORD 6.3", "Flow of the linkage", ("quality",), "Accounting of every record read."),
    Item(
        "RECORD 7.1",
        "Codes of outcomes and confounders",
        ("provenance",),
        "meta.vocabularies of the release.",
    ),
    Item("RECORD 12.1", "Access to the database", (), _AUTHORS),
    Item("RECORD 12.2", "Data cleaning", ("quality",), "Rules, findings and records set aside."),
    Item(
        "RECORD 12.3", "Linkage and its quality", ("quality",), "Findings; linkage rate: left to the authors."
    ),
    Item("RECORD 13.1", "Selection of persons in detail", ("participants",), "Flow diagram."),
    Item("RECORD 19.1", "Data not made for this question", (), _AUTHORS),
    Item(
        "RECORD 22.1",
        "Protocol, raw data, code",
        ("provenance",),
        "Hashes of program, configuration, files, decisions and content.",
    ),
)


def filled(sections: Collection[str]) -> list[tuple[Item, str | None]]:
    """Return every item with the section that answers it, or None.

    Args:
        sections: keys of the sections on the page.
    """
    return [(item, next((s for s in item.sections if s in sections), None)) for item in ITEMS]
