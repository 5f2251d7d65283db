"""Rules across records, quarantine, the accounting of every record, findings for the steward."""
