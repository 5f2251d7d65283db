"""Pages for people: the report of a release, and the steward's page; frames in, HTML out."""
