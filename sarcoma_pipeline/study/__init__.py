"""A study: its paths and configuration, and the hashes that identify program, configuration and decisions."""
