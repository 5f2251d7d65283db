# Predicted survival of Cox models (survfit.coxph) beside Kaplan-Meier's, by groups of the linear predictor.
# Run from the project root:  Rscript tests/golden/calibration.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
of <- list(lung = c("age", "sex", "karno"), demo_dmfs = c("sex", "age"), veteran = c("trt", "karno", "age"))
months <- c(3, 6, 12, 24)
for (set in names(of)) for (ties in c("efron", "breslow")) {
  d <- sets[[set]]
  fit <- coxph(reformulate(of[[set]], "Surv(time, event)"), data = d, ties = ties, control = control)
  predicted <- summary(survfit(fit, newdata = d), times = months * 30.4375, extend = TRUE)$surv
  score <- round(predict(fit, type = "lp"), 10)
  wanted <- min(5, max(2, sum(d$event) %/% 10))
  group <- as.integer(factor(((rank(score, ties.method = "min") - 1) * wanted) %/% nrow(d)))
  for (g in 0:max(group)) {
    mine <- if (g == 0) rep(TRUE, nrow(d)) else group == g
    observed <- summary(survfit(Surv(time, event) ~ 1, data = d[mine, ], conf.type = "log-log"),
                        times = months * 30.4375, extend = TRUE)
    for (i in seq_along(months))
      put(set, ties, paste(months[i], g), c("n", "predicted", "observed", "ci_low", "ci_high", "at_risk"),
          c(sum(mine), mean(predicted[i, mine]), observed$surv[i], observed$lower[i], observed$upper[i], observed$n.risk[i]))
  }
}
save_golden("calibration")
