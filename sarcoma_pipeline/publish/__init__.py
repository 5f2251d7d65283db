"""The published release: pseudonyms, disclosure control, export, report and steward's page."""
