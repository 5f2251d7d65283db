"""Simulates how much a late death biases disease-free survival, under every rule that the study may choose.

Run from the project root: ``python -m docs.studies.late_deaths > docs/late_deaths.md``
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import polars as pl

from sarcoma_pipeline.cohort import endpoints
from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.survival.kaplan_meier import curves
from schemas import curated
from schemas.all_contracts import CONTRACTS
from schemas.assumptions import Assumptions
from schemas.configuration import Study

PATIENTS, SEED = 20_000, 20_260_101
YEAR = 365.25
HORIZONS = (24, 48, 60)
RELAPSE, DEATH_BEFORE, DEATH_AFTER, LOSS = 0.17, 0.03, 0.45, 0.35
"""Hazards per year: relapse, death without it, death after it, and loss to the hospital for good."""
NEVER = 0.03
"""Share of the patients who never come to an examination."""
RECRUITED, CUT_OFF = 8.0, 10.0
"""Years in which the patients are diagnosed, and from the first of them to the data cut-off."""
VISITS = np.round(30.4375 * np.array([*range(3, 24, 3), *range(24, 121, 6)]))
"""Planned examinations: every three months for two years, then every six. The horizons are among them."""
FIRST = dt.date(2010, 1, 1)

RULES: dict[str, dict[str, str | int]] = {
    "main rule: a death counts however late": {},
    "a death counts within 180 days": {"late_deaths": "within window", "late_death_days": 180},
    "a death counts within 365 days": {"late_deaths": "within window"},
    "a death counts within 730 days": {"late_deaths": "within window", "late_death_days": 730},
    "without an event: last day known alive": {"relapse_free_until": "last known alive"},
    "deaths of the never examined count": {"never_examined": "counted"},
}

STUDY = {
    "name": "simulation", "title": "simulation", "description": "simulation", "drop": "-",
    "criteria": [{"name": "m0", "rule": "no_metastasis", "label": "M0"}],
    "endpoints": [
        {"name": "DFS", "title": "Disease-free survival", "censor": "last disease assessment",
         "events": ["local relapse", "distant relapse", "relapse of unknown site", "death"]}
    ],
}  # fmt: skip


def patients(count: int = PATIENTS, seed: int = SEED) -> pl.DataFrame:
    """Draw the patients: the days of relapse, death, loss and cut-off since their diagnosis."""
    random = np.random.default_rng(seed)

    def wait(rate: float) -> np.ndarray:
        return random.exponential(YEAR / rate, count)

    diagnosed = random.uniform(0, RECRUITED * YEAR, count)
    relapse, before, after, loss = wait(RELAPSE), wait(DEATH_BEFORE), wait(DEATH_AFTER), wait(LOSS)
    death = np.where(before < relapse, before, relapse + after)
    never = random.uniform(size=count) < NEVER
    return pl.DataFrame(
        {
            "patient_id": [f"p{i:05d}" for i in range(count)],
            "diagnosed": diagnosed.astype(int),
            "relapse": np.ceil(np.where(relapse < before, relapse, np.inf)),
            "death": np.ceil(death),
            "lost": np.where(never, 0, np.ceil(loss)),
            "cut": (CUT_OFF * YEAR - diagnosed).astype(int),
        }
    )


def tables(drawn: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the curated tables that a hospital and a registry office would have of these patients."""
    zero = pl.lit(FIRST) + pl.duration(days="diagnosed")
    ids = {"record_ids": pl.concat_list("patient_id")}
    dead = pl.col("death") <= pl.col("cut")
    base = drawn.with_columns(**ids, pseudonym="patient_id", zero=zero)
    visits = pl.DataFrame({"assessment_day": VISITS.astype(np.int32)})
    seen = base.join(visits, how="cross").filter(
        pl.col("assessment_day") <= pl.min_horizontal("lost", "cut"),
        pl.col("assessment_day") < pl.col("death"),
    )
    # The examination that finds the relapse; what happens afterwards does not matter.
    found = (seen["assessment_day"] >= seen["relapse"]).alias("found")
    status = pl.when(found).then(pl.lit("relapse")).otherwise(pl.lit("complete remission"))
    last = pl.when(dead).then(pl.col("death")).otherwise(pl.col("cut")).cast(pl.Int32)
    statement = pl.when(dead).then(pl.lit("deceased")).otherwise(pl.lit("alive"))
    return {
        **{table: contract.empty() for table, contract in CONTRACTS.items() if table.startswith("curated.")},
        "curated.patient": curated.Patient.conform(base),
        "curated.diagnosis": curated.Diagnosis.conform(
            base.with_columns(
                diagnosis_date="zero", index_tumour=pl.lit(True), day=0, m_stage=pl.lit("M0"),
                diagnosis_date_precision=pl.lit("day"),
            )
        ),
        "curated.surgery": curated.Surgery.conform(
            base.with_columns(surgery_day=pl.lit(1), residual_status=pl.lit("R0"))
        ),
        "curated.assessment": curated.Assessment.conform(
            seen.with_columns(
                overall_status=status, local_status=pl.when(found).then(pl.lit("relapse"))
            )
        ),
        "curated.vital_status": curated.VitalStatus.conform(
            base.with_columns(
                status=statement, death_day=pl.when(dead).then(pl.col("death")).cast(pl.Int32),
                death_date=pl.when(dead).then(zero + pl.duration(days="death")),
                death_date_precision=pl.lit("day"), death_record_ids="record_ids",
            )
        ),
        "curated.vital_statement": curated.VitalStatement.conform(
            base.with_columns(
                source=pl.lit("registry office"), status=statement, status_day=last, told_day="cut",
                status_date=zero + pl.duration(days=last), status_date_precision=pl.lit("day"),
            )
        ),
    }  # fmt: skip


def survival(days: pl.Series, event: pl.Series) -> list[float]:
    """Return disease-free survival at the horizons, in per cent."""
    curve = curves(pl.DataFrame({"endpoint": "DFS", "time_days": days.cast(pl.Int64), "event": event}))
    return [100 * curve.filter(pl.col("time_months") <= h)["survival"][-1] for h in HORIZONS]


def results(drawn: pl.DataFrame) -> Iterator[tuple[str, list[float]]]:
    """Yield what holds, and what each rule makes of it: disease-free survival at the horizons."""
    happened = drawn.select(day=pl.min_horizontal("relapse", "death"), event=pl.lit(True))
    yield "what happened", survival(happened["day"], happened["event"])
    made = tables(drawn)
    members = drawn.select("patient_id", pseudonym="patient_id")
    study = Study.model_validate(STUDY)
    for name, values in RULES.items():
        told = timeline(made, Assumptions.model_validate(values))
        ends = endpoints.derive(told, members, study).endpoints
        yield name, survival(ends["time_days"], ends["event"])
    # Nobody is lost: what is left is that a relapse is found at the next examination.
    everybody = tables(drawn.with_columns(lost=pl.lit(np.inf)))
    ends = endpoints.derive(timeline(everybody, Assumptions()), members, study).endpoints
    yield "nobody is lost (main rule)", survival(ends["time_days"], ends["event"])


def page(count: int = PATIENTS) -> str:
    """Write the study as a page of the documentation."""
    rows = list(results(patients(count)))
    truth = rows[0][1]
    heads = [f"At {h} months, %" for h in HORIZONS]
    lines = [f"| Rule | {' | '.join(f'{h} | Bias' for h in heads)} |", "|---" * (1 + 2 * len(HORIZONS)) + "|"]
    for name, rates in rows:
        cells = [
            f"{r:.1f} | {f'{r - t:+.1f}' if name != 'what happened' else ''}"
            for r, t in zip(rates, truth, strict=True)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return _TEXT.format(
        count=f"{count:,}".replace(",", " "), relapse=RELAPSE, before=DEATH_BEFORE, after=DEATH_AFTER,
        loss=LOSS, never=round(100 * NEVER), recruited=round(RECRUITED), cut=round(CUT_OFF), seed=SEED,
        table="\n".join(lines),
    )  # fmt: skip


_TEXT = """# Late deaths and disease-free survival: a simulation

Written by `python -m docs.studies.late_deaths > docs/late_deaths.md`; do not edit it.

A registry office reports every death, a hospital only the relapses that it sees. A patient who no longer
comes to examinations is censored at the last one while alive, but has an event when they die. The dead are
therefore followed longer than the living, and in the long run disease-free survival comes out too low (Lesko
2018, 2019).

{count} patients (seed {seed}): hazards per year of {relapse} for a relapse, {before} for death without it,
{after} for death after it, {loss} for loss to the hospital for good; {never} % never come to an examination.
Examinations are every three months for two years, then every six. Patients are diagnosed over {recruited}
years; the data are cut off {cut} years after the first. Every death before the cut-off is known. The rules
are the switches of `[assumptions]`; the endpoints are derived by the pipeline itself.

{table}

Bias: percentage points above or below what happened. The rate "at 48 months" is that of the examination
planned for that day.

What the table shows:

- With nobody lost, the main rule is right. Its bias comes from the loss to the hospital alone.
- The bias changes its sign: early, those who are lost and will die later count as free of disease until their
  death; late, their deaths weigh on the few who are still examined.
- A window does not help by being there, but by being short: of about two planned examinations. A window of
  730 days is worse than none, because it counts the deaths and not the time of those who survive it.
- Following everybody to the last day known alive takes silence for health, and is the worst of all.
"""

if __name__ == "__main__":
    print(page(), end="")
