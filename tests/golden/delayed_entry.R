# Surv(entry, time, event): curves whose numbers at risk may rise, medians, coxph, cox.zph, competing risks.
# survdiff knows no entry: the log-rank test is computed here from its risk sets.
# Run from the project root:  Rscript tests/golden/delayed_entry.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
for (set in names(late)) {
  d <- late[[set]]
  d$id <- seq_len(nrow(d))
  fit <- survfit(Surv(entry, time, event) ~ 1, data = d, conf.type = "log-log", id = id)
  there <- which(fit$n.event + fit$n.censor > 0)
  for (i in there[unique(c(seq(1, length(there), by = max(1, length(there) %/% 60)), length(there)))])
    put(set, "curve", fit$time[i], c("at_risk", "events", "censored", "survival", "ci_low", "ci_high"),
        c(fit$n.risk[i], fit$n.event[i], fit$n.censor[i], fit$surv[i], fit$lower[i], fit$upper[i]))
  q <- quantile(fit, probs = c(0.25, 0.5, 0.75))
  put(set, "median", "", c("q1", "value", "q3", "ci_low", "ci_high"), c(q$quantile, q$lower[2], q$upper[2]))

  model <- coxph(update(late_formulas[[set]], Surv(entry, time, event) ~ .), data = d, ties = "efron", control = control)
  table <- summary(model)
  for (term in names(coef(model)))
    put(set, "coxph", term, c("coefficient", "standard_error", "p_value", "ci_low", "ci_high"),
        c(coef(model)[[term]], sqrt(vcov(model)[term, term]), table$coefficients[term, "Pr(>|z|)"],
          table$conf.int[term, c("lower .95", "upper .95")]))
  put(set, "model", "", c("concordance", "n", "events"), c(table$concordance[["C"]], model$n, model$nevent))
  z <- cox.zph(model, transform = "km")$table
  for (term in rownames(z))
    put(set, "zph", term, c("chi_square", "degrees_of_freedom", "p_value"), z[term, ])

  # Mantel's test with the hypergeometric variance, from the risk sets: who has entered before, and has not left.
  group <- factor(d[[late_groups[[set]]]])
  observed <- expected <- setNames(numeric(nlevels(group)), levels(group))
  variance <- matrix(0, nlevels(group), nlevels(group))
  for (t in sort(unique(d$time[d$event]))) {
    at_risk <- d$entry < t & d$time >= t
    died <- d$event & d$time == t
    share <- c(table(group[at_risk])) / sum(at_risk)
    observed <- observed + c(table(group[died]))
    expected <- expected + sum(died) * share
    if (sum(at_risk) > 1)
      variance <- variance + sum(died) * (sum(at_risk) - sum(died)) / (sum(at_risk) - 1) * (diag(share) - outer(share, share))
  }
  for (level in levels(group))
    put(set, "log-rank", level, c("observed", "expected"), c(observed[[level]], expected[[level]]))
  difference <- (observed - expected)[-1]
  put(set, "log-rank", "", "chi_square", c(difference %*% solve(variance[-1, -1], difference)))

  if (length(unique(d$kind)) > 2) {
    d$cause <- factor(d$kind, levels = c("", sort(setdiff(unique(d$kind), ""))))
    multi <- survfit(Surv(entry, time, cause) ~ 1, data = d, id = id, conf.type = "log-log")
    there <- which(rowSums(multi$n.event) + rowSums(as.matrix(multi$n.censor)) > 0)
    for (i in there[unique(c(seq(1, length(there), by = max(1, length(there) %/% 40)), length(there)))])
      for (k in seq_along(multi$states)[-1])
        put(set, paste("incidence", multi$states[k]), multi$time[i], c("incidence", "standard_error", "ci_low", "ci_high"),
            c(multi$pstate[i, k], multi$std.err[i, k], multi$lower[i, k], multi$upper[i, k]))
  }
}
save_golden("delayed_entry")
