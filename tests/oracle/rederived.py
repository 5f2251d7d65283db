"""What the curated tables must hold of oBDS exports, derived a second time from the documents alone.

Written from the schema's documentation and the definitions of the study, with lxml and without anything of
the program: no frame, no vocabulary, no rule. Its patients have one reporter and tumours of different organs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.oracle.export_values import (
    OBDS,
    PRECISION,
    Date,
    Element,
    Report,
    Row,
    at,
    date,
    every,
    in_force,
    plain,
    text,
)

Tables: TypeAlias = "dict[str, dict[str, list[Row]]]"
"""Table to patient to rows."""


SEX = {"M": "male", "W": "female", "D": "diverse", "X": "no entry", "U": "unknown"}
INTENT = {
    "K": "curative", "P": "palliative", "D": "diagnostic", "R": "revision", "O": "oligometastatic",
    "S": "other", "X": "unknown",
}  # fmt: skip
RESIDUAL = {"R0": "R0", "R1": "R1", "R2": "R2", "R1(is)": "R1", "R1(cy+)": "R1", "RX": "RX"}
OVERALL = {
    "V": "complete remission", "T": "partial remission", "K": "stable", "P": "progression",
    "D": "mixed response", "B": "improvement", "R": "complete remission with residues", "Y": "relapse",
    "U": "not assessable", "X": "missing",
}  # fmt: skip
SINGLE = {
    "K": "no tumour", "T": "residual", "P": "progression", "N": "stable", "R": "relapse",
    "F": "questionable", "U": "unknown", "X": "missing",
}  # fmt: skip
SEQUENCE = {
    "O": "without surgery", "A": "postoperative adjuvant", "N": "preoperative", "I": "intraoperative",
    "Z": "postoperative additive", "S": "other",
}  # fmt: skip
DRUGS = {
    "CH": ("chemotherapy", "c"), "CI": ("chemotherapy", "ci"), "CZ": ("chemotherapy", "cz"),
    "CIZ": ("chemotherapy", "ciz"), "HO": ("hormone therapy", "h"), "IM": ("immunotherapy", "i"),
    "ZS": ("targeted", "z"), "IZ": ("targeted", "iz"), "SZ": ("stem cell transplantation", ""),
    "AS": ("surveillance", ""), "WS": ("surveillance", ""), "WW": ("surveillance", ""), "SO": ("other", ""),
}  # fmt: skip
SURVEILLANCE = ("AS", "WS", "WW")
BOOST = {
    "J": "unspecified", "SIB": "simultaneous integrated", "SEQ": "sequential", "KON": "concomitant",
    "N": "none",
}  # fmt: skip
CAUSE = {"J": "yes", "N": "no", "U": "unknown"}
SIDE = {
    "L": "left", "R": "right", "B": "bilateral", "M": "midline", "U": "unknown", "T": "not applicable",
}  # fmt: skip


# --- which reports are in force -----------------------------------------------------------------------


# --- the tables ---------------------------------------------------------------------------------------


def tables(exports: Mapping[str, Element]) -> Tables:
    """Everything that is compared, by table and patient."""
    made: Tables = {}
    masters = _masters(exports)
    for patient, reports in in_force(exports).items():
        person = _Patient(masters[patient], reports)
        for name in (
            "patient", "diagnosis", "baseline", "surgery", "radiotherapy_course", "systemic_therapy",
            "assessment", "metastasis", "vital_status",
        ):  # fmt: skip
            made.setdefault(name, {})[patient] = sorted(getattr(person, name)(), key=repr)
    return made


def _masters(exports: Mapping[str, Element]) -> dict[str, Element]:
    newest: dict[str, tuple[Row, Element]] = {}
    for name, root in exports.items():
        for patient in every(root, "Menge_Patient/Patient"):
            order, who = (text(root, "Meldedatum"), name), patient.get("Patient_ID")
            if who not in newest or newest[who][0] < order:
                newest[who] = order, at(patient, "Patienten_Stammdaten")
    return {who: master for who, (_, master) in newest.items()}


@dataclass
class _Patient:
    master: Element
    reports: list[Report]

    def of(self, kind: str, tumour: str | None = None) -> list[Report]:
        return [r for r in self.reports if r.kind == kind and tumour in (None, r.tumour)]

    @property
    def tumours(self) -> list[str]:
        return sorted({r.tumour for r in self.reports})

    @property
    def died(self) -> dt.date | None:
        return max((d for r in self.of("Tod") if (d := plain(r.module, "Sterbedatum"))), default=None)

    def patient(self) -> Iterator[Row]:
        born = date(at(self.master, "Geburtsdatum"))
        yield (
            text(self.master, "Nachname"), text(self.master, "Vornamen"), born and born.untouched(),
            born and PRECISION[born.precision], SEX[text(self.master, "Geschlecht") or ""],
        )  # fmt: skip

    def diagnosed(self, tumour: str) -> Date | None:
        report = (self.of("Diagnose", tumour) or self.reports)[0]
        return date(at(report.element, "Tumorzuordnung/Diagnosedatum"))

    def diagnosis(self) -> Iterator[Row]:
        born = date(at(self.master, "Geburtsdatum"))
        for tumour in self.tumours:
            report = self.of("Diagnose", tumour)[0]
            said = self.diagnosed(tumour)
            therapy = [d for d in (*self.resected(tumour), *self.others(tumour)) if d]
            birth = born.first if born and born.precision != "M" else None
            after = min((d for d in (*therapy, self.died) if d), default=None)
            assigned = at(report.element, "Tumorzuordnung")
            yield (
                tumour, said and said.cut(birth, after), said and PRECISION[said.precision],
                text(assigned, "Primaertumor_ICD/Code"),
                SIDE.get(text(assigned, "Seitenlokalisation") or ""),
            )  # fmt: skip

    # --- order of treatment and baseline (section 3) --------------------------------------------------

    def resected(self, tumour: str) -> list[dt.date]:
        operations = [r for r in self.of("OP", tumour) if text(r.module, "Intention") != "D"]
        return [d for r in operations if (d := plain(r.module, "Datum"))]

    def others(self, tumour: str) -> list[dt.date]:
        """First days of irradiations and drugs; surveillance gives nothing."""
        days = [plain(b, "Beginn") for r in self.of("ST", tumour) for b in self.irradiations(r)]
        given = [r for r in self.of("SYST", tumour) if text(r.module, "Therapieart") not in SURVEILLANCE]
        begun = [date(at(r.module, "Beginn")) for r in given]
        return [d for d in (*days, *(b.untouched() for b in begun if b)) if d]

    @staticmethod
    def irradiations(report: Report) -> list[Element]:
        return every(report.module, "Menge_Bestrahlung/Bestrahlung")

    def surgery_first(self, tumour: str) -> bool:
        operated, other = min(self.resected(tumour), default=None), min(self.others(tumour), default=None)
        return operated is not None and (other is None or operated <= other)

    def baseline(self) -> Iterator[Row]:
        """Morphology, FNCLCC, T and M of each tumour."""
        for tumour in self.tumours:
            first = self.surgery_first(tumour)
            biopsy, specimen = self.biopsies(tumour), self.specimens(tumour)
            ordered = [*specimen, *biopsy] if first else [*biopsy, *specimen]
            codes = [c for r in ordered if (c := text(r.module, "Histologie/Morphologie_ICD_O/Code"))]
            named = [c for c in codes if c[:4] != "8800"]
            grades = [g for r in (ordered if first else biopsy) if (g := self.fnclcc(r))]
            yield tumour, (named or codes or [None])[0], (grades or [None])[0], self.t(tumour), self.m(tumour)

    def specimens(self, tumour: str) -> list[Report]:
        """Pathology reports before the operation's own words."""
        cut = [r for r in self.of("OP", tumour) if text(r.module, "Intention") != "D"]
        return [*(self.of("Pathologie", tumour) if cut else []), *cut]

    def biopsies(self, tumour: str) -> list[Report]:
        """What describes tissue of a biopsy: pathology, a diagnostic operation, the Diagnose."""
        taken = [r for r in self.of("OP", tumour) if text(r.module, "Intention") == "D"]
        alone = [] if self.resected(tumour) else self.of("Pathologie", tumour)
        other = min(self.others(tumour), default=None)
        said = self.diagnosed(tumour)
        # Three months after the diagnosis of what nobody resected, tissue is that of a later course.
        late = min(said.day + dt.timedelta(days=92) if said else dt.date.max, other or dt.date.max)
        early = [r for r in (*alone, *taken) if (self.day(r) or dt.date.min) <= late]
        return [*early, *self.of("Diagnose", tumour)]

    @staticmethod
    def day(report: Report) -> dt.date | None:
        """Day of what a report describes: of the operation, else of the histology."""
        found = date(at(report.module, "Histologie/Tumor_Histologiedatum"))
        return plain(report.module, "Datum") or (found and found.day)

    @staticmethod
    def fnclcc(report: Report) -> str | None:
        """FNCLCC is not graded after therapy, which y shows; a Diagnose may hold another TNM besides."""
        staged = [tnm for kind in ("cTNM", "TNM", "pTNM") if (tnm := at(report.module, kind)) is not None]
        after = [text(tnm, "y_Symbol") is not None for tnm in staged]
        if all(after) and after if report.kind == "Diagnose" else any(after):
            return None
        stadium = text(report.module, "Menge_Weitere_Klassifikation/Weitere_Klassifikation/Stadium")
        return f"G{stadium}" if stadium else None

    def stages(
        self, reports: Iterable[Report], kinds: Sequence[str], letter: str
    ) -> Iterator[tuple[str, str]]:
        """Prefix and category of every TNM without y, r or a."""
        for report in reports:
            for kind in kinds:
                tnm = at(report.module, kind)
                if tnm is None or any(text(tnm, f"{s}_Symbol") for s in "yra"):
                    continue
                if category := text(tnm, letter):
                    # The schema: a prefix that is left out is read as c.
                    own = "p" if kind == "pTNM" else "c"
                    prefix = text(tnm, f"c_p_u_Praefix_{letter}") or own
                    yield prefix, letter + category[0]

    def t(self, tumour: str) -> str | None:
        """Surgery first: pT, else cT; treatment before surgery: cT; no surgery: cT, else pT. X gives way."""
        kinds = ("cTNM", "TNM", "pTNM")
        found = list(self.stages(reversed(self.biopsies(tumour)), kinds, "T"))
        clinical, pathological = ([s for p, s in found if (p == "p") is is_p] for is_p in (False, True))
        if self.surgery_first(tumour):
            cut = list(self.stages(self.specimens(tumour), kinds, "T"))
            wanted = [s for p, s in cut if p == "p"] + pathological + clinical
            # What is clinical, the surgeon knows better than the pathologist.
            told = [*self.of("OP", tumour), *self.of("Pathologie", tumour)]
            own = [r for r in told if r in self.specimens(tumour)]
            wanted += [s for p, s in self.stages(own, kinds, "T") if p != "p"]
        else:
            wanted = clinical + ([] if self.resected(tumour) else pathological)
        return next((s for s in wanted if s != "TX"), next(iter(wanted), None))

    def m(self, tumour: str) -> str | None:
        """The Diagnose's own M, M1 before M0; else M0 of a report before therapy; MX gives way."""
        kinds = ("cTNM", "TNM", "pTNM")
        own = [s for _, s in self.stages(self.of("Diagnose", tumour), kinds, "M")]
        early = [*(self.specimens(tumour) if self.surgery_first(tumour) else []), *self.biopsies(tumour)]
        others = [s for _, s in self.stages(early, kinds, "M") if s != "M1"]
        said = [s for s in own if s != "MX"] or [s for s in others if s != "MX"] or own or others
        return next((s for s in ("M1", "M0", "MX") if s in said), None)

    # --- events ---------------------------------------------------------------------------------------

    def surgery(self) -> Iterator[Row]:
        for report in self.of("OP"):
            day = plain(report.module, "Datum")
            codes = sorted(
                {(text(o, "Code") or "").rstrip("RLB") for o in every(report.module, "Menge_OPS/OPS")}
            )
            residual = RESIDUAL.get(
                text(report.module, "Residualstatus/Lokale_Beurteilung_Residualstatus") or ""
            )
            # R0 of all tumour is R0 of the primary too; another overall status may mean the metastases.
            if (
                residual is None
                and text(report.module, "Residualstatus/Gesamtbeurteilung_Residualstatus") == "R0"
            ):
                residual = "R0"
            intent = INTENT[text(report.module, "Intention") or ""]
            if residual is None and intent != "diagnostic":
                for pathology in self.of("Pathologie", report.tumour):
                    residual = RESIDUAL.get(text(pathology.module, "Lokale_Beurteilung_Residualstatus") or "")
            yield report.tumour, day, codes, residual, intent

    def radiotherapy_course(self) -> Iterator[Row]:
        for report in self.of("ST"):
            (one,) = self.irradiations(report)
            (kind,) = at(one, "Applikationsart")
            dosed = kind.tag != f"{OBDS}Metabolisch"
            dose, single = (
                float(said) if dosed and (said := text(kind, f"{name}/Dosis")) else None
                for name in ("Gesamtdosis", "Einzeldosis")
            )
            regions = at(kind, "Zielgebiet")
            yield (
                report.tumour, plain(one, "Beginn"), plain(one, "Ende"),
                INTENT[text(report.module, "Intention") or ""],
                SEQUENCE[text(report.module, "Stellung_OP") or ""], text(report.module, "Ende_Grund"),
                dose, single, BOOST.get(text(kind, "Boost") or ""),
                None if regions is None else regions[0].text,
                SIDE.get(text(kind, "Seite_Zielgebiet") or ""),
            )  # fmt: skip

    def systemic_therapy(self) -> Iterator[Row]:
        for report in self.of("SYST"):
            code, begun = text(report.module, "Therapieart") or "", date(at(report.module, "Beginn"))
            kind, parts = DRUGS[code]
            yield (
                report.tumour, kind, *(part in parts for part in "cizh"),
                "no" if code in SURVEILLANCE else "yes", begun and begun.untouched(),
                begun and PRECISION[begun.precision], text(report.module, "Protokoll"),
            )  # fmt: skip

    def assessment(self) -> Iterator[Row]:
        for report in self.of("Verlauf"):
            statuses = (
                SINGLE.get(text(report.module, name) or "")
                for name in (
                    "Verlauf_Lokaler_Tumorstatus", "Verlauf_Tumorstatus_Lymphknoten",
                    "Verlauf_Tumorstatus_Fernmetastasen",
                )
            )  # fmt: skip
            overall = OVERALL[text(report.module, "Gesamtbeurteilung_Tumorstatus") or ""]
            yield report.tumour, plain(report.module, "Untersuchungsdatum_Verlauf"), overall, *statuses

    def metastasis(self) -> Iterator[Row]:
        """Metastases that are named; the same one twice is one."""
        seen = set()
        for report in self.reports:
            for one in every(report.module, "Menge_FM/Fernmetastase"):
                found = date(at(one, "Diagnosedatum"))
                seen.add(
                    (report.tumour, found and found.untouched(), found and PRECISION[found.precision],
                     text(one, "Lokalisation"))
                )  # fmt: skip
        yield from seen

    def vital_status(self) -> Iterator[Row]:
        """Death, its cause, and the last day that something was done on, exact to the day."""
        days = [
            *(plain(r.module, "Untersuchungsdatum_Verlauf") for r in self.of("Verlauf")),
            *(plain(r.module, "Datum") for r in self.of("OP")),
            *(
                plain(b, name)
                for r in self.of("ST")
                for b in self.irradiations(r)
                for name in ("Beginn", "Ende")
            ),
            *(b.day for r in self.of("SYST") if (b := date(at(r.module, "Beginn"))) and b.precision == "E"),
            *(d.day for t in self.tumours if (d := self.diagnosed(t)) and d.precision == "E"),
        ]
        seen = max((d for d in days if d), default=None)
        if not self.died and not seen:
            return  # nobody says whether they live
        causes = {CAUSE[text(r.module, "Tod_tumorbedingt") or ""] for r in self.of("Tod")}
        yield (
            "deceased" if self.died else "alive", self.died, next(iter(causes), None),
            min(seen, self.died) if seen and self.died else seen,
        )  # fmt: skip
