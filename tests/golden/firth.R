# Firth's penalised Cox model with Efron's ties. Debian has no package for it, so this is a derivation of its own: the penalised partial likelihood is had from coxph (no iteration: likelihood and
# information at given coefficients) and maximised by optim, then by Newton with numeric derivatives.
# Run from the project root (a few minutes):  Rscript tests/golden/firth.R
source("tests/golden/sets.R")
models <- list(
  lung = ~ age + sex + rare, veteran = ~ karno + trt + rare, gbsg = ~ nodes + hormon + rare,
  demo_os = ~ age + sex + rare)
for (set in names(models)) {
  d <- sets[[set]]
  formula <- update(models[[set]], Surv(time, event) ~ .)
  start <- suppressWarnings(coxph(formula, data = d, ties = "efron", control = coxph.control(iter.max = 0)))
  scale <- sqrt(diag(start$var))
  # Parameters in standard errors at 0, so that one step fits all.
  fit_at <- function(b) suppressWarnings(
    coxph(formula, data = d, ties = "efron", init = b * scale, control = coxph.control(iter.max = 0)))
  penalised <- function(b) {
    f <- fit_at(b)
    f$loglik[1] - as.numeric(determinant(f$var)$modulus) / 2
  }
  maximise <- function(b, free) {
    part <- function(x) { b[free] <- x; -penalised(b) }
    found <- optim(b[free], part, method = "BFGS", control = list(reltol = 1e-16, maxit = 1000))
    b[free] <- found$par
    list(b = b, value = -found$value)
  }
  gradient <- function(f, x, h = 2e-3) sapply(seq_along(x), function(i) {
    e <- replace(numeric(length(x)), i, h)
    (8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * h)
  })
  p <- length(scale)
  best <- maximise(rep(0, p), 1:p)$b
  for (i in 1:6) {
    hessian <- sapply(1:p, function(j) {
      e <- replace(numeric(p), j, 1e-2)
      (gradient(penalised, best + e) - gradient(penalised, best - e)) / 2e-2
    })
    best <- best - solve(hessian, gradient(penalised, best))
  }
  height <- penalised(best)
  errors <- sqrt(diag(fit_at(best)$var)) / scale
  for (i in 1:p) {
    profile <- function(x) maximise(replace(best, i, x), setdiff(1:p, i))$value
    fall <- function(x) 2 * (height - profile(x)) - qchisq(0.95, 1)
    limit <- function(side) {
      far <- best[i] + side * 3 * errors[i]
      while (fall(far) < 0) far <- far + side * 3 * errors[i]
      uniroot(fall, sort(c(best[i], far)), tol = 1e-11)$root
    }
    put(set, "firth", names(coef(start))[i], c("coefficient", "standard_error", "ci_low", "ci_high", "p_value"),
        c(best[i] * scale[i], errors[i] * scale[i], exp(limit(-1) * scale[i]), exp(limit(1) * scale[i]),
          pchisq(2 * (height - profile(0)), 1, lower.tail = FALSE)))
  }
}
save_golden("firth")
