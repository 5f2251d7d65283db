"""Compare target regions of irradiations (oBDS Zielgebiet, code lists of 2014 and of 2021)."""

from __future__ import annotations

NO_SIDE = (None, "unknown", "not applicable")
"""Sides that exclude no side."""
_TARGETS = {
    "C49.0": ("7.1",), "C49.1": ("7.2", "6.9.", "6.10.", "6.11.", "6.12."),
    "C49.2": ("7.3", "6.8.", "6.13.", "6.14.", "6.15.", "6.16."), "C49.3": ("7.4", "3.3."),
    "C49.4": ("7.5", "4.9", "4.9."), "C49.5": ("7.6", "7.7", "5."), "C49.6": ("7.7",), "C48": ("4.7", "4.8."),
}  # fmt: skip
"""Site of the tumour to the oBDS target regions that contain it: of 2021, and with a final dot of 2014."""


def one_region(one: str, other: str, site: str | None) -> bool:
    """Return whether two codes are one region: equal, or of both versions and both the tumour's region."""
    versions = one.endswith(".") != other.endswith(".")
    return one == other or (versions and is_site(one, site) and is_site(other, site))


def is_site(region: str | None, site: str | None) -> bool:
    """Return whether a target region contains the site of the tumour."""
    return any(region in regions for prefix, regions in _TARGETS.items() if site and site.startswith(prefix))
