"""Estimators: Table 1, Kaplan–Meier, competing risks, Cox models and their diagnostics.

Pure functions that take polars frames of the cohort layer and return frames of `schemas.analysis`. They know
no files, databases or Dagster.
"""
