"""Generate the demo: 86 invented patients as realistic source files, with seeded defects."""
