"""A nightly, validated, traceable build of soft tissue sarcoma studies."""

import os

# Before numpy is imported. A second thread for its products of narrow matrices costs more than it saves (a
# hundred times the CPU on a busy machine), and the last digit would depend on the number of cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Before polars is imported. It would keep freed memory for ten seconds, and leave it to the system to take it
# away only when another process needs it: steps that follow each other would hold what none of them uses.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:200,muzzy_decay_ms:0")
