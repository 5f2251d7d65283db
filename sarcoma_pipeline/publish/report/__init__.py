"""HTML pages: the report of a release, the steward's page and the column lineage; frames in, HTML out."""
