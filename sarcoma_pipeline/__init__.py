"""A nightly, validated, traceable build of soft tissue sarcoma studies."""
