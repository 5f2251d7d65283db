"""List the values that are delivered but not read, by name and with the reason.

A value that is neither read nor listed here is unknown, and a notice names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_ABOUT_STAFF = "names and addresses of staff and senders: no study needs them"
_ABOUT_PATIENT = "insurance and address of the patient: no study needs them, and what is not kept cannot leak"
_OTHER_CANCER = "a module of another cancer: no study of soft tissue sarcomas uses it"
_CHILDREN = "the module of the German Childhood Cancer Registry: consent, residence and its trials"
_CARE = "contact with social services or psycho-oncology: no study uses it"
_XML = "how the XML was written, no fact about anybody"


@dataclass(frozen=True)
class Ignored:
    """A path that is ignored by name, with everything below it.

    Attributes:
        kind: kind of source, as in ``sources.toml``.
        path: path in the value account; ``*`` matches one step.
        reason: the reason, for the steward.
    """

    kind: str
    path: str
    reason: str


IGNORED = (
    *(
        Ignored("obds", f"Absender/{name}", _ABOUT_STAFF)
        for name in ("Bezeichnung", "Ansprechpartner", "Anschrift", "Telefon", "EMail")
    ),
    *(
        Ignored("obds", f"Melder/{name}", _ABOUT_STAFF)
        for name in (
            "Ident_Nummern/LANR", "Ident_Nummern/BSNR", "Ident_Nummern/ZANR", "KH_Abt_Station_Praxis",
            "Arztname", "Anschrift", "PLZ", "Ort", "Bankname", "Kontoinhaber", "BIC", "IBAN",
        )
    ),
    *(
        Ignored("obds", f"Patienten_Stammdaten/{name}", _ABOUT_PATIENT)
        for name in ("Versichertendaten_GKV", "Versichertendaten_PKV", "Versichertendaten_Sonstige",
                     "Adresse")
    ),
    Ignored("obds", "Patient/DKKR_Patienten_Stammdaten", _CHILDREN),
    Ignored("obds", "Meldung/*/Modul_Mamma", _OTHER_CANCER),
    Ignored("obds", "Meldung/*/Modul_Darm", _OTHER_CANCER),
    Ignored("obds", "Meldung/*/Modul_Prostata", _OTHER_CANCER),
    Ignored("obds", "Meldung/*/Modul_Malignes_Melanom", _OTHER_CANCER),
    Ignored("obds", "Meldung/*/Modul_DKKR", _CHILDREN),
    Ignored("obds", "Meldung/*/Modul_DKKR_Tumor", _CHILDREN),
    Ignored("obds", "Meldung/*/Modul_Allgemein/Sozialdienstkontakt", _CARE),
    Ignored("obds", "Meldung/*/Modul_Allgemein/Psychoonkologiekontakt", _CARE),
    Ignored("obds", "Meldung/OP/Menge_Operateur", _ABOUT_STAFF),
    Ignored("obds", "Meldung/Pathologie/Einsender", _ABOUT_STAFF),
    Ignored("obds", "@xsi", _XML),
)  # fmt: skip
"""Ignored paths of all kinds of source."""


def ignored_paths(element: str) -> Iterator[tuple[str, str]]:
    """Yield the paths below an oBDS element that are ignored by name, and the reasons.

    Args:
        element: path of the element, such as ``Meldung/OP``.
    """
    steps = element.split("/")
    for one in IGNORED:
        parts = one.path.split("/")
        rest = parts[len(steps) :]
        if one.kind == "obds" and rest and "*" not in rest and _fits(parts, steps):
            yield "/".join(rest), one.reason


def _fits(pattern: list[str], steps: list[str]) -> bool:
    return all(part in ("*", step) for part, step in zip(pattern, steps, strict=False))
