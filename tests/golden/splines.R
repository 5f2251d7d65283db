# Natural cubic splines in a Cox model: coxph with ns(), whose fitted values are compared, not its coefficients.
# Run from the project root:  Rscript tests/golden/splines.R
source("tests/golden/sets.R")
library(splines)
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
of <- list(
  lung = list(x = "age", knots = c(45, 55, 65, 75), at = 65, rest = c("sex", "karno")),
  gbsg = list(x = "age", knots = c(35, 45, 55, 65, 75), at = 55, rest = c("nodes", "hormon")),
  rotterdam = list(x = "age", knots = c(40, 60, 80), at = 60, rest = c("size", "nodes")),
  demo_dmfs = list(x = "age", knots = c(40, 55, 65, 80), at = 65, rest = "sex"),
  mgus = list(x = "hgb", knots = c(9, 12, 14), at = 12, rest = "sex"))
for (set in names(of)) {
  s <- of[[set]]
  early <- set %in% names(sets)
  d <- if (early) sets[[set]] else late[[set]]
  outcome <- if (early) "Surv(time, event)" else "Surv(entry, time, event)"
  ends <- range(s$knots)
  inner <- setdiff(s$knots, ends)
  basis <- function(x) ns(x, knots = inner, Boundary.knots = ends)
  d$b <- basis(d[[s$x]])
  fit <- coxph(reformulate(c("b", s$rest), outcome), data = d, ties = "efron", control = control)
  at <- seq_len(ncol(d$b))
  # The curve at each knot against the reference.
  difference <- basis(s$knots) - basis(rep(s$at, length(s$knots)))
  value <- c(difference %*% coef(fit)[at])
  error <- sqrt(diag(difference %*% vcov(fit)[at, at] %*% t(difference)))
  for (k in which(s$knots != s$at))
    put(set, "contrast", paste0(s$x, s$knots[k]), c("coefficient", "standard_error"), c(value[k], error[k]))
  c <- concordance(fit)
  put(set, "model", "", c("log_likelihood", "concordance", "concordance_standard_error"),
      c(fit$loglik[2], c$concordance, sqrt(c$var)))
  without <- coxph(reformulate(s$rest, outcome), data = d, ties = "efron", control = control)
  straight <- coxph(reformulate(c(s$x, s$rest), outcome), data = d, ties = "efron", control = control)
  put(set, "joint", s$x, c("likelihood_ratio", "nonlinearity_likelihood_ratio", "nonlinearity_p_value", "wald"),
      c(2 * (fit$loglik[2] - without$loglik[2]), 2 * (fit$loglik[2] - straight$loglik[2]),
        pchisq(2 * (fit$loglik[2] - straight$loglik[2]), length(inner), lower.tail = FALSE),
        coef(fit)[at] %*% solve(vcov(fit)[at, at], coef(fit)[at])))
}
save_golden("splines")
