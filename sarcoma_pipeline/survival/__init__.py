"""What is computed from the cohort: Table 1, Kaplan–Meier, Cox, and the comparison with the paper.

Pure functions, polars frames of the cohort layer in, frames of `schemas.analysis` out. Files, databases and
Dagster do not belong here.
"""
