"""Rules over several records, quarantine, accounting of every record, findings, ledger and release gate."""
