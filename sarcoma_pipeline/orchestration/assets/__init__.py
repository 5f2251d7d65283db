"""Dagster assets and asset checks, one module per layer; they call the pure functions of the domain rooms."""
