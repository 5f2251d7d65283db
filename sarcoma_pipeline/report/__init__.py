"""Pages that people read: static HTML, self-contained, with nothing in them that identifies a patient."""
