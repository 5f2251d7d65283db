"""Turns received records into curated entities: typing, record linkage, reconciliation between sources."""
