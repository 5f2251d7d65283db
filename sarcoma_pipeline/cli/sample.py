"""``sarcoma sample``: draws patients for a chart review, and reads the abstracted sheet back."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.cli.study_option import configured, released, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json
from sarcoma_pipeline.cli.warehouse_rows import by_centre
from schemas.language import speaking

if TYPE_CHECKING:
    import polars as pl

    from sarcoma_pipeline.study.project import Project


@click.command()
@study_option
@click.option("--n", type=click.IntRange(min=1), default=20, show_default=True, help="Patients to draw.")
@click.option("--seed", type=int, help="Any number: the same release and seed draw the same patients.")
@click.option(
    "--into", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.xlsx", help="The new sheet."
)
@click.option(
    "--numbers",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Also write the hospital's patient numbers, to find the charts. Keep this file like the warehouse.",
)
@click.option(
    "--read",
    "answered",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE.xlsx",
    help="Read an abstracted sheet back and print the error rates.",
)
@json_option
def sample(
    study: str,
    n: int,
    seed: int | None,
    into: Path | None,
    numbers: Path | None,
    answered: Path | None,
    as_json: bool,
) -> None:
    """Measure on charts how often a released value is wrong.

    Draws patients of the release, stratified by centre, sources and outcome, and writes a blind sheet for the
    abstractor. Read back, it prints the error rate of each variable with its exact 95 % interval. The next
    release and its report contain the result.
    """
    project = configured(study)
    if answered is not None:
        if into or numbers or seed is not None:
            raise click.UsageError("--read takes an abstracted sheet and draws nothing")
        _read(project, answered, as_json)
    elif into is None or seed is None:
        raise click.UsageError("name --seed and --into to draw a sample, or --read to read one back")
    else:
        _draw(project, n, seed, into, numbers, as_json)


def _draw(project: Project, n: int, seed: int, into: Path, numbers: Path | None, as_json: bool) -> None:
    import polars as pl

    from sarcoma_pipeline.quality import chart_review, chart_sample, chart_sheet

    frames = released(project, public=False)
    label = frames["meta.release"].row(0, named=True)
    patients, events = frames["cohort.patients"], frames["cohort.events"]
    stratified = chart_sample.strata(patients, events, _sources(project))
    drawn = chart_sample.draw(stratified, n, seed)
    if drawn.is_empty():
        raise click.ClickException("the release has no patients")
    name = "\x1f".join(
        (project.study.name, label["refresh_id"], label["content_hash"], str(seed), str(drawn.height))
    )
    sample_id = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    zero = by_centre(
        project,
        "SELECT p.pseudonym, min(d.diagnosis_date) AS diagnosis_date FROM curated.diagnosis AS d "
        "JOIN curated.patient AS p USING (patient_id) WHERE d.index_tumour GROUP BY 1 ORDER BY 1",
    )
    values = chart_sample.truth(drawn, patients, events, zero).with_columns(
        sample_id=pl.lit(sample_id), refresh_id=pl.lit(label["refresh_id"]), seed=pl.lit(seed, dtype=pl.Int64)
    )
    # Before the sheet: a sheet whose sample is not known could not be read back.
    if sample_id not in set(chart_review.samples(project.samples)["sample_id"]):
        chart_review.append(project.samples, values.select(*chart_review.SAMPLE))
    try:
        if numbers is not None:
            _write_numbers(project, numbers, drawn["pseudonym"])
        with speaking(project.study.language):
            chart_sheet.write(into, sample_id, drawn["pseudonym"])
    except FileExistsError as there:
        raise click.ClickException(
            f"{there.filename} already exists; somebody may have filled it in"
        ) from None
    sizes = dict(stratified.group_by("stratum").len().iter_rows())
    counts = sorted(drawn.group_by("stratum").len().iter_rows())
    if as_json:
        drawn_of = [{"stratum": name, "drawn": count, "patients": sizes[name]} for name, count in counts]
        say_json(
            {
                "sample": sample_id, "refresh_id": label["refresh_id"], "file": into, "drawn": drawn.height,
                "strata": drawn_of,
            }
        )  # fmt: skip
        return
    for stratum, count in counts:
        say(f"{count:4} of {sizes[stratum]:4}  {stratum}")
    say(f"{drawn.height} patients in {into}, sample {sample_id} of release {label['refresh_id']}")


def _sources(project: Project) -> pl.DataFrame:
    return by_centre(
        project,
        "SELECT DISTINCT l.pseudonym, f.source FROM meta.lineage AS l JOIN meta.files AS f USING (file_id) "
        "ORDER BY ALL",
    )


def _write_numbers(project: Project, path: Path, drawn: pl.Series) -> None:
    """Write pseudonym and patient number of the drawn patients; only the owner can read the file."""
    from sarcoma_pipeline.quality import own_sheets
    from schemas.spreadsheet import neutralised

    known = by_centre(project, "SELECT pseudonym, hospital_number FROM curated.patient ORDER BY pseudonym")
    numbers = {name: (number or "", centre or "") for name, number, centre in neutralised(known).iter_rows()}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    # Two centres may use one number for two patients.
    columns = ("patient_number", *(("centre",) if project.centres else ()))
    writer.writerow(("pseudonym", *columns))
    writer.writerows((name, *numbers.get(name, ("", ""))[: len(columns)]) for name in drawn)
    own_sheets.create(path, out.getvalue().encode())


def _read(project: Project, answered: Path, as_json: bool) -> None:
    import polars as pl

    from sarcoma_pipeline.quality import chart_review, chart_sheet

    try:
        sample_id, cells = chart_sheet.read(answered)
        drawn = chart_review.samples(project.samples).filter(pl.col("sample_id") == sample_id)
        if drawn.is_empty():
            raise ValueError(f"{answered.name} is of sample {sample_id}, which was not drawn here")
        result, differing = chart_review.review(drawn, cells, project.now().date())
    except ValueError as wrong:
        raise click.ClickException(f"{wrong}\nNothing was recorded.") from None
    chart_review.append(project.reviews, result)
    if as_json:
        say_json({"rates": result.to_dicts(), "differing": differing.to_dicts()})
        return
    say(f"{'variable':22} {'errors':>6} {'of':>5}  rate (exact 95 % interval)   not in chart")
    for row in result.iter_rows(named=True):
        rate = "nothing reviewed"
        if row["error_rate"] is not None:
            low, high = 100 * row["ci_low"], 100 * row["ci_high"]
            rate = f"{100 * row['error_rate']:.1f} % ({low:.1f}–{high:.1f} %)"
        say(f"{row['variable']:22} {row['errors']:6} {row['reviewed']:5}  {rate:27} {row['not_in_chart']:5}")
    for row in differing.iter_rows(named=True):
        say(
            f"differs: {row['pseudonym']} {row['variable']}: released {row['released']}, chart {row['chart']}"
        )
    say("kept; the next release and its report contain it (sarcoma refresh --full makes one now)")
