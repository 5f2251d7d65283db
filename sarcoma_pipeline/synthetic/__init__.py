"""The demo: 86 invented patients rendered into genuine source files, with seeded defects."""
