# survdiff and survfit by subgroup.
# Run from the project root:  Rscript tests/golden/log_rank.R
source("tests/golden/sets.R")
for (set in names(sets)) for (group in groups[[set]]) {
  d <- sets[[set]]
  d$level <- factor(d[[group]])
  test <- survdiff(Surv(time, event) ~ level, data = d)
  freedom <- sum(test$exp > 0) - 1
  put(set, group, "", c("chi_square", "degrees_of_freedom", "p_value"),
      c(test$chisq, freedom, pchisq(test$chisq, freedom, lower.tail = FALSE)))
  for (i in seq_along(levels(d$level))) {
    fit <- survfit(Surv(time, event) ~ 1, data = d[d$level == levels(d$level)[i], ], conf.type = "log-log")
    q <- quantile(fit, probs = 0.5)
    at <- summary(fit, times = horizons[[set]][1], extend = TRUE)
    put(set, group, levels(d$level)[i],
        c("n", "observed", "expected", "median", "median_low", "median_high", "survival", "low", "high"),
        c(test$n[i], test$obs[i], test$exp[i], q$quantile, q$lower, q$upper, at$surv, at$lower, at$upper))
  }
}
save_golden("log_rank")
