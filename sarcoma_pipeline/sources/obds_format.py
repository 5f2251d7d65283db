"""Find out the format of an XML file of tumour documentation.

oBDS 3 is read; other formats are named and refused.
"""

from __future__ import annotations

import re

from sarcoma_pipeline.sources.leaves import Element, local
from sarcoma_pipeline.sources.received_record import Stopped
from schemas import file_faults

NAMESPACE = "http://www.basisdatensatz.de/oBDS/XML"
OF_REGISTRIES = "Menge_Tumor"
"""Element of oBDS_RKI that replaces ``Menge_Meldung``: the format in which registries deliver to the RKI."""

_ROOTS_OF_REGISTRIES = {"oBDS_RKI", "ZfKD_Lieferdatensatz"}
"""Root elements of the deliveries of registries, now and until 2022."""

_VERSION = re.compile(r"[\w.]{1,20}")
"""Text that a finding may quote: a version, but no other content."""


def check(root: Element) -> None:
    """Refuse a file whose root element is not that of oBDS 3.

    Raises:
        Stopped: the file has another format, which the detail names.
    """
    name, namespace = local(root.tag), str(root.tag).rpartition("}")[0].lstrip("{")
    version = root.get("Schema_Version") or ""
    if not _VERSION.fullmatch(version):
        version = ""
    if name == "ADT_GEKID" or "gekid" in namespace.lower():
        raise _other(f"ADT_GEKID {version}")
    if name in _ROOTS_OF_REGISTRIES:
        raise of_registries(version)
    if namespace == "http://hl7.org/fhir":
        raise _other("FHIR")
    if name != "oBDS":
        raise Stopped("line 1", file_faults.WRONG_FORMAT.id, "the root element is not oBDS")
    if "rki" in namespace.lower() or version.upper().endswith("_RKI"):
        raise of_registries(version)
    if re.match(r"[0124-9]\b|\d\d", version):
        raise _other(f"oBDS {version}")
    if namespace and namespace.rstrip("/").lower() != NAMESPACE.lower():
        raise _other("oBDS of another namespace")


def of_registries(version: str = "") -> Stopped:
    """Return the refusal of a file in the format of registries for the Robert Koch Institute."""
    return _other(f"oBDS_RKI {version}".strip() + ", the format in which registries deliver to the RKI")


def _other(found: str) -> Stopped:
    return Stopped("line 1", file_faults.WRONG_SCHEMA.id, f"{found.strip()}; expected is oBDS 3")
