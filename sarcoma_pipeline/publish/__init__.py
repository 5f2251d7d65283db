"""Publication of a study: pseudonyms, releases, disclosure control, export, report and steward's page."""
