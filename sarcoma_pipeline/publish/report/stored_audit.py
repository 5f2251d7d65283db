"""Translate what the audit of the paper writes: what it printed, and what its other numbers give."""

from __future__ import annotations

from schemas.language import marked, stored

_FOUND = (
    marked("read, not recomputed"),
    # Counts, and their percentages.
    marked("{count} ({section}); {percent} is the percentage there"),
    marked("{shown} %; {percent} % is that of the other {rest}"),
    marked("{count}, {times} times"),
    marked("of {count} for the other levels"),
    marked("of {count}; {missing} missing values"),
    marked("{total}: {rest} without a level"),
    marked("of {first} and {second}"),
    marked("of no denominator"),
    marked("{named} of {count}"),
    marked("at least {sum}"),
    marked("sum {percent} % by rounding alone"),
    marked("sum {percent} %"),
    marked("{count}, as {why}"),
    # Estimates and their intervals.
    marked("{middle} from {interval}, {low} to {high} with rounding"),
    marked("these are the numbers of {quantity}"),
    marked("at most {error} ({endpoint}, fewer events)"),
    marked("SE {error} ({endpoint})"),
    marked("crude ratio {crude}: {one} against {other} relapsed (the error implies about {implied})"),
    marked("{count} parameters, {event}"),
    marked("{low} to {high} events per parameter; below {least} is few"),
    marked("{ratio} events per parameter; below {least} is few"),
    marked("{event} and second malignancies"),
    marked("{low} to {high} events"),
    marked("{count} events"),
    marked("about {events}: some {died} of the relapsed had died"),
    marked("about {total} from the errors: {named}"),
    marked("about {events}"),
    # Survival.
    marked("symmetric on the scale {scales}"),
    marked("of {patients} patients"),
    marked("the interval is that of {patients} uncensored patients"),
    marked("at most {events} events"),
    marked("the interval needs at least {events} events"),
    marked("limits around the rate"),
    marked(
        "log-log: upper limit {upper} for this lower one; plain: lower limit {lower} for this upper one; "
        "arcsine: rate {middle}"
    ),
    marked("{endpoint} at {months} months: {rate} %"),
    marked("at most {rate} % ({endpoint} at {months} months)"),
    marked("≥ 50 % before the median, ≤ 50 % after it"),
    marked("median {median}, {rate} % at {months} months"),
    marked("rate at {months} months"),
    marked("median at {months} months"),
    marked("the longest follow-up is {months} months"),
    marked("the upper quartile of follow-up is {months} months"),
    # Order of numbers.
    marked("median {value} ({section})"),
    marked("median {value}"),
    marked("within {low} to {high} ({section})"),
    marked("start ≤ end"),
    marked("{count} levels"),
    marked("{count} covariates"),
    # Citations.
    marked("citations up to {last}"),
    marked("never cited: {numbers}"),
    # The comparison with this cohort.
    marked(
        "The paper's p value is of one of {contrasts} contrasts of {term}; all of them together give p = {p} "
        "in the model of {model}."
    ),
    marked("No patient with this datum."),
    marked("No estimate of {endpoint} at {months} months."),
    marked("{endpoint} is not derivable."),
    marked("No model {model}."),
    marked("No such contrast in model {model}."),
    marked("No estimate: {reason}."),
    marked("{count} ({section})"),
)
"""What the audit and the comparison write; a special text stands before a general one."""


def said(text: str) -> str:
    """Return a text of the audit in the language that is set; the paper's own words stay as they are."""
    return stored(text, _FOUND)
