# External validation of a given linear predictor: Harrell's and Uno's C, calibration slope, O:E, groups, net benefit.
# Run from the project root:  Rscript tests/golden/external.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
predictors <- list(
  lung = function(d) 0.02 * (d$age - 60) + ifelse(d$sex == "male", 0.4, 0),
  gbsg = function(d) 0.3 * (log(d$size) - 3) + c(grade1 = 0, grade2 = 0.5, grade3 = 0.8)[d$grade],
  demo_dmfs = function(d) 0.03 * (d$age - 60) + ifelse(d$sex == "male", 0.3, 0))
baselines <- list(lung = c(`6` = 0.8, `12` = 0.5), gbsg = c(`24` = 0.9, `60` = 0.6), demo_dmfs = c(`12` = 0.9, `24` = 0.8))
for (set in names(predictors)) {
  d <- sets[[set]]
  d$score <- unname(predictors[[set]](d))
  d$round <- round(d$score, 10)
  harrell <- concordance(Surv(time, event) ~ round, data = d, reverse = TRUE, timefix = FALSE)
  uno <- concordance(Surv(time, event) ~ round, data = d, reverse = TRUE, timewt = "n/G2", timefix = FALSE)
  fit <- coxph(Surv(time, event) ~ score, data = d, ties = "efron", control = control)
  put(set, "measure", "Harrell's C", c("value", "standard_error"), c(harrell$concordance, sqrt(harrell$var)))
  put(set, "measure", "Uno's C", c("value", "standard_error"), c(uno$concordance, sqrt(uno$var)))
  put(set, "measure", "calibration slope", c("value", "standard_error"), c(coef(fit), sqrt(vcov(fit))))
  at <- function(rows, months) {
    s <- summary(survfit(Surv(time, event) ~ 1, data = rows, conf.type = "log-log"), times = months * 30.4375, extend = TRUE)
    c(s$surv, s$lower, s$upper)
  }
  for (i in seq_along(baselines[[set]])) {
    months <- as.numeric(names(baselines[[set]])[i])
    risk <- 1 - baselines[[set]][[i]]^exp(d$score)
    put(set, "ratio", months, c("value", "ci_high", "ci_low"), (1 - at(d, months)) / mean(risk))
    wanted <- min(5, max(2, sum(d$event) %/% 10))
    group <- as.integer(factor(((rank(d$round, ties.method = "min") - 1) * wanted) %/% nrow(d)))
    for (g in 0:max(group)) {
      mine <- if (g == 0) rep(TRUE, nrow(d)) else group == g
      put(set, "group", paste(months, g), c("n", "predicted", "observed"), c(sum(mine), mean(1 - risk[mine]), at(d[mine, ], months)[1]))
    }
    for (p in c(0.1, 0.2, 0.3, 0.4, 0.5)) {
      benefit <- function(flagged) if (!any(flagged)) 0 else {
        s <- at(d[flagged, ], months)[1]
        mean(flagged) * (1 - s) - mean(flagged) * s * p / (1 - p)
      }
      put(set, "benefit", paste(months, p), c("model", "everybody", "flagged"),
          c(benefit(risk >= p), benefit(rep(TRUE, nrow(d))), sum(risk >= p)))
    }
  }
}
save_golden("external")
