"""Spells German letters on a keyboard without them."""

from __future__ import annotations

UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
"""Small letter to its spelling."""
