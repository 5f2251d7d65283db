"""Build the content of the demo's drop folder: exports, replies, table rows and plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sarcoma_pipeline.synthetic import department_table, dicom, late_effects, obds, registry_reply
from sarcoma_pipeline.synthetic.obds import Element
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.registry_reply import Reply

TABLE = "tables/sarkomtabelle.csv"
LATE_EFFECTS = "tables/spaetfolgen.csv"
OFFICES = ("registry/meldeamt_nord.csv", "registry/meldeamt_sued.csv", "registry/meldeamt_west.csv")
_YEARS = ((2009, 2012), (2013, 2015), (2016, 2018), (2019, 2021))
_EXPORTED = dt.date(2021, 12, 30)
_PLANNING_DAYS = 6
_SEX = {"female": "F", "male": "M"}


@dataclass
class Export:
    """An oBDS export before it is written.

    Attributes:
        reported: Meldedatum; None to leave it out.
        version: Schema_Version.
        namespace: whether it has the oBDS namespace.
        patients: patient number to the person and their reports.
        damage: function that damages the finished bytes.
    """

    reported: dt.date | None = _EXPORTED
    version: str = obds.VERSION
    namespace: bool = True
    patients: dict[str, tuple[Person, list[Element]]] = field(default_factory=dict)
    damage: Callable[[bytes], bytes] | None = None

    def content(self) -> bytes:
        """Return the finished file."""
        data = obds.export(list(self.patients.values()), self.reported, self.version, self.namespace)
        return self.damage(data) if self.damage else data


@dataclass
class Planned:
    """A course to be written as DICOM files.

    Attributes:
        course: the course.
        folder: target folder, relative to the drop folder.
        seed: seed of its UIDs.
        kept: number of bytes after which its files are cut off; None for whole files.
    """

    course: dicom.Course
    folder: str
    seed: str
    kept: int | None = None


@dataclass
class Drop:
    """Everything that will be written.

    Attributes:
        exports: relative path to oBDS export.
        replies: relative path to the rows of an office's file.
        without: relative path of a reply file to the header that it lacks.
        rows: rows of the department's table.
        late_effects: rows of its table of late effects.
        courses: patient number to planned courses; "" for those without a patient.
        raw: relative path to content of malformed files.
    """

    exports: dict[str, Export] = field(default_factory=dict)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)
    late_effects: list[dict[str, str]] = field(default_factory=list)
    courses: dict[str, list[Planned]] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)

    def export_of(self, person: Person) -> str:
        """Return the path of the export with a person's reports."""
        return next(path for path, export in self.exports.items() if person.number in export.patients)

    def reports(self, person: Person) -> list[Element]:
        """Return a person's reports; changing the list changes the export."""
        return self.exports[self.export_of(person)].patients[person.number][1]

    def move(self, person: Person, path: str, export: Export) -> Export:
        """Move a person's reports to another export, which is added if it does not exist."""
        reports = self.exports[self.export_of(person)].patients.pop(person.number)
        target = self.exports.setdefault(path, export)
        target.patients[person.number] = reports
        return target

    def tell(self, person: Person, answer: str, event: dt.date | str, as_of: dt.date, **changed: str) -> str:
        """Add a reply about a person to the first office's file, with some values replaced.

        Returns:
            The reply's reference.
        """
        office = self.replies[OFFICES[0]]
        reference = f"MR-2022-{len(office) + 1:04d}"
        office.append(replace(registry_reply.reply(person, reference, answer, event, as_of), **changed))
        return reference

    def write(self, into: Path) -> dict[tuple[str, str], dict[str, Path]]:
        """Write every file.

        Args:
            into: the drop folder.

        Returns:
            (folder, seed) of each planned course to its files by modality.
        """
        contents = {path: export.content() for path, export in self.exports.items() if export.patients}
        contents |= {
            path: registry_reply.file(rows, self.without.get(path)) for path, rows in self.replies.items()
        }
        contents |= {TABLE: department_table.file(self.rows)} if self.rows else {}
        if self.late_effects:
            contents[LATE_EFFECTS] = department_table.file(self.late_effects, late_effects.HEADERS)
        contents |= self.raw
        for path, content in contents.items():
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        written = {}
        for planned in self._planned():
            paths = dicom.write(planned.course, into / planned.folder, planned.seed)
            written[planned.folder, planned.seed] = paths
            if planned.kept is not None:
                for path in paths.values():
                    path.write_bytes(path.read_bytes()[: planned.kept])
        return written

    def _planned(self) -> Iterable[Planned]:
        for courses in self.courses.values():
            yield from courses


def course(person: Person) -> dicom.Course | None:
    """Return a person's planned course; None if there is no plan."""
    if person.rt_start is None or not person.technique or not person.fractions:
        return None
    assert person.prescribed_dose_gy is not None and person.single_dose_gy is not None
    return dicom.Course(
        patient_id=person.number,
        patient_name=f"{person.family}^{person.given}",
        birth_date=f"{person.birth_date:%Y%m%d}",
        sex=_SEX[person.sex],
        plan_date=person.rt_start - dt.timedelta(days=_PLANNING_DAYS),
        prescribed_dose_gy=person.prescribed_dose_gy,
        fractions=person.fractions,
        single_dose_gy=person.single_dose_gy,
        simultaneous_integrated_boost=person.simultaneous_integrated_boost,
        technique=person.technique,
        beam_energy_mv=person.beam_energy_mv,
        ct_slice_thickness_mm=person.ct_slice_thickness_mm,
    )


def lay_out(persons: Sequence[Person], asked: Sequence[Person]) -> Drop:
    """Build the faultless content of the drop folder.

    Args:
        persons: all persons.
        asked: the persons about whom registry offices were asked.
    """
    cohort = [person for person in persons if person.of_cohort]
    drop = Drop(
        rows=[department_table.row(person) for person in persons],
        late_effects=[row for row in map(late_effects.row, cohort) if row is not None],
    )
    for first, last in _YEARS:
        exported = [p for p in persons if first <= p.diagnosis_date.year <= last]
        drop.exports[f"obds/tudok_{first}-{last}.xml"] = Export(
            patients={p.number: (p, obds.Course(p).all()) for p in exported}
        )
    replies = registry_reply.replies(asked)
    for position, office in enumerate(OFFICES):
        drop.replies[office] = replies[position :: len(OFFICES)]
    for person in persons:
        planned = course(person)
        if planned:
            drop.courses[person.number] = [Planned(planned, f"dicom/{person.number}", person.number)]
    return drop
