"""The demo: 86 invented patients rendered as real source files, with seeded defects."""
