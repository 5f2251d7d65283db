"""A nightly, validated, traceable build of soft tissue sarcoma studies."""

import os

# Before numpy is imported. A second thread for its products of narrow matrices costs more than it saves (a
# hundred times the CPU on a busy machine), and the last digit would depend on the number of cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
