"""The published paper's numbers: compared with ours, and checked against each other."""
