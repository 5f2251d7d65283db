# survfit: curves, quartiles, survival at horizons, restricted means, reverse Kaplan-Meier.
# Run from the project root:  Rscript tests/golden/kaplan_meier.R
source("tests/golden/sets.R")
for (set in names(sets)) {
  d <- sets[[set]]
  fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = "log-log")
  # Every tenth time of a long curve, and the last, keep the file small.
  chosen <- unique(c(seq(1, length(fit$time), by = max(1, length(fit$time) %/% 60)), length(fit$time)))
  for (i in chosen) {
    put(set, "curve", fit$time[i], c("at_risk", "events", "censored", "survival", "ci_low", "ci_high"),
        c(fit$n.risk[i], fit$n.event[i], fit$n.censor[i], fit$surv[i], fit$lower[i], fit$upper[i]))
  }
  at <- summary(fit, times = horizons[[set]])
  for (i in seq_along(at$time))
    put(set, "horizon", at$time[i], c("at_risk", "value", "ci_low", "ci_high"),
        c(at$n.risk[i], at$surv[i], at$lower[i], at$upper[i]))
  for (object in c("median", "follow-up")) {
    f <- if (object == "median") fit else survfit(Surv(time, !event) ~ 1, data = d, conf.type = "log-log")
    q <- quantile(f, probs = c(0.25, 0.5, 0.75))
    put(set, object, "", c("q1", "value", "q3", "ci_low", "ci_high"), c(q$quantile, q$lower[2], q$upper[2]))
  }
  for (tau in horizons[[set]]) {
    table <- summary(fit, rmean = tau)$table
    put(set, "restricted mean", tau, c("value", "standard_error"), table[c("rmean", "se(rmean)")])
  }
}
save_golden("kaplan_meier")
