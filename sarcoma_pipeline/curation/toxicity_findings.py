"""Report contradictions of toxicity: with its therapy, with the patient's death, and between reports."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from schemas import typed
from schemas.observations import observation
from schemas.partial_dates import interval
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import STATEMENTS, TREATMENTS, peers
from schemas.toxicity_codes import ACUTE_DAYS
from schemas.toxicity_window import window
from schemas.vocabularies import DECEASED, DECEASED_DATE_UNKNOWN

BEFORE_THERAPY = Rule(
    "toxicity.before-therapy",
    "warning",
    on="typed.toxicity",
    scope="patient",
    what="The toxicity began before the therapy that it is documented for. It counts in no window.",
    remedy="Compare the day of onset with the first day of the therapy, and correct the wrong one. A finding "
    "from before the therapy is no toxicity of it.",
    sides=TREATMENTS,
)
FATAL_WITHOUT_DEATH = Rule(
    "toxicity.fatal-without-death",
    "warning",
    on="typed.toxicity",
    scope="patient",
    what="A toxicity of grade 5 (fatal) is documented, and the patient is not known to be dead.",
    remedy="Compare Nebenwirkung/Grad with the letter. If the patient died, report the Tod with its date.",
    source="CTCAE 5.0: grade 5 is death related to the adverse event",
    sides=(STATEMENTS.at_times(),),
)
AFTER_DEATH = Rule(
    "toxicity.after-death",
    "warning",
    on="typed.toxicity",
    scope="patient",
    what="The toxicity began after the patient's death. The cumulative incidence ends at the death, but the "
    "toxicity counts in the share of patients.",
    remedy="Compare the day of onset in the table with the date of death, and correct the wrong one.",
    sides=(STATEMENTS.at_times(),),
)
NOT_PLACED = Rule(
    "toxicity.not-placed",
    "warning",
    on="typed.toxicity",
    scope="patient",
    what="It is not known whether the toxicity was acute or late: the onset or the start of radiotherapy has "
    f"no date, or a partial date of one of them leaves both sides of day {ACUTE_DAYS} possible.",
    remedy="Add the day of onset to the table, or a column that says acute or late.",
    source="oBDS 3.0.4 Nebenwirkung_Typ: acute to the 90th day after the start of radiotherapy",
    sides=TREATMENTS,
)
UNATTRIBUTED = Rule(
    "toxicity.unattributed",
    "warning",
    on="typed.toxicity",
    scope="patient",
    what="The toxicity belongs to no therapy: its record documents none, and the patient has none or several "
    "of the kind that began before it.",
    remedy="Add the therapy to the row of the table, or its day of onset.",
    sides=TREATMENTS,
)
REPORTS_DIFFER = Rule(
    "toxicity.reports-differ",
    "warning",
    on="typed.toxicity",
    scope="patient",
    what="A report on a therapy says that there was no toxicity, and the same or another one names some. It "
    "counts as present.",
    remedy="Compare both reports with the letter. Correct the wrong one.",
    source="oBDS 3.0.4 Nebenwirkungen, Komplikationen",
    overruled=True,
    sides=tuple(side.at_times() for side in peers("therapy", columns=("statement", "grade", "code"))),
)


def observe(toxicity: pl.DataFrame, vital: pl.DataFrame) -> pl.DataFrame:
    """Return the findings on toxicity.

    Args:
        toxicity: ``curated.toxicity`` with days.
        vital: ``curated.vital_status``.
    """
    if toxicity.is_empty():
        return Observation.empty()
    told = toxicity.filter(pl.col("kind").ne_missing("wound revision")).with_columns(_window=window())
    present = told.filter(statement="present")
    last = interval(pl.col("onset_date"), pl.col("onset_date_precision"))[1]
    early = pl.coalesce([last < pl.col("therapy_date"), pl.col("onset_day") < pl.col("therapy_day")])
    early = early.fill_null(False)
    lone = pl.col("attribution").is_null()
    radiotherapy = pl.col("therapy") == "radiotherapy"
    dead = vital.filter(pl.col("status").is_in([DECEASED, DECEASED_DATE_UNKNOWN]))
    contradicted = _contradicted(told.filter(~lone, statement="none"), present.filter(~lone))
    unplaced = present.filter(radiotherapy, ~lone, ~early, pl.col("_window").is_null())
    table = typed.Toxicity.table()

    def found(frame: pl.DataFrame, rule: Rule, column: str) -> pl.DataFrame:
        records = frame.select(column, record_id="record_ids").explode("record_id").unique()
        ordered = records.sort("record_id", column, nulls_last=True)
        one = ordered.unique("record_id", keep="first", maintain_order=True)
        return observation(one, rule, table, column, pl.col(column))

    first = pl.coalesce(interval(pl.col("onset_date"), pl.col("onset_date_precision"))[0], "onset_date")
    died = dead.select(
        "patient_id",
        _died=interval(pl.col("death_date"), pl.col("death_date_precision"))[1],
        _day="death_day",
    )
    late = present.join(died, on="patient_id").filter(
        pl.coalesce([first > pl.col("_died"), pl.col("onset_day") > pl.col("_day")])
    )
    return pl.concat(
        [
            Observation.empty(),
            found(late, AFTER_DEATH, "onset_date"),
            found(present.filter(early), BEFORE_THERAPY, "onset_date"),
            found(
                present.filter(pl.col("grade") == 5).join(dead, on="patient_id", how="anti"),
                FATAL_WITHOUT_DEATH, "grade",
            ),
            found(unplaced, NOT_PLACED, "onset_date"),
            found(present.filter(lone), UNATTRIBUTED, "therapy"),
            found(contradicted, REPORTS_DIFFER, "statement"),
        ]
    )  # fmt: skip


def _contradicted(none: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Return the statements of none that another one on the same therapy contradicts.

    Acute and late toxicity do not contradict each other, nor does what began after the day of the statement.
    """
    window = pl.when(pl.col("therapy") == "radiotherapy").then("_window")
    by_therapy = [*TUMOUR, "therapy", "therapy_date", "therapy_day", "course_id", "_of"]
    # Days since the therapy on both sides; of a therapy without any day, days since time zero.
    day = pl.coalesce(
        [
            (pl.col("onset_date") - pl.col("therapy_date")).dt.total_days(),
            pl.col("onset_day") - pl.col("therapy_day"),
            pl.when(pl.col("therapy_date").is_null()).then("onset_day"),
        ]
    )
    began = present.select(*by_therapy[:-1], _of=window, _began=day)
    return (
        none.with_row_index("_row")
        .with_columns(_of=window, _stated=day)
        .join(began, on=by_therapy, nulls_equal=True)
        .filter((pl.col("_began") <= pl.col("_stated")).fill_null(True))
        .unique("_row", keep="any")
        .sort("_row")
        .select(none.columns)
    )
