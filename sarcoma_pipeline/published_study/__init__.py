"""A published paper's numbers: compared with ours, and audited against each other."""
