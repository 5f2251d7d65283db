"""Thin Dagster assets over the domain folders, one module per layer."""
