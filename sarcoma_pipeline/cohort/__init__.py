"""The cohort: who is eligible and why, one row per patient, endpoints with their evidence."""
