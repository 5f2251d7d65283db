"""Tasks of the operator between two refreshes: doctor, backup, status, rebuilding an earlier release."""
