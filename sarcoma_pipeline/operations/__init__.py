"""The operator's tasks between two refreshes: doctor, backup, status, rebuilding an earlier release."""
