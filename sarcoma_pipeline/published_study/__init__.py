"""Compare the published paper's numbers with ours, and check them against each other."""
