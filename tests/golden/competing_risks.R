# survfit of several kinds of event: Aalen-Johansen, infinitesimal jackknife, log-log limits.
# Run from the project root:  Rscript tests/golden/competing_risks.R
source("tests/golden/sets.R")
for (set in c("rotterdam", "colon", "mgus2", "demo_lrfs", "demo_dmfs")) {
  d <- sets[[set]]
  kinds <- sort(setdiff(unique(d$kind), ""))
  d$state <- factor(d$kind, levels = c("", kinds), labels = c("censored", kinds))
  fit <- survfit(Surv(time, state) ~ 1, data = d, conf.type = "log-log")
  chosen <- unique(c(seq(1, length(fit$time), by = max(1, length(fit$time) %/% 60)), length(fit$time)))
  for (kind in kinds) {
    k <- match(kind, fit$states)
    for (i in chosen)
      put(set, kind, fit$time[i], c("at_risk", "events", "incidence", "standard_error", "ci_low", "ci_high"),
          c(fit$n.risk[i, 1], fit$n.event[i, k], fit$pstate[i, k], fit$std.err[i, k], fit$lower[i, k], fit$upper[i, k]))
  }
}
save_golden("competing_risks")
