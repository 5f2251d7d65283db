"""Received records to curated entities: typing, identity, reconciliation between sources."""
