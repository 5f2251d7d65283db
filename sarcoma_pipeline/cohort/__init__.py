"""Derives the cohort: eligibility, one row per patient, endpoints with their evidence."""
