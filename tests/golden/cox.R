# coxph (Efron), its concordance, and cox.zph (km transform, terms together).
# Run from the project root:  Rscript tests/golden/cox.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100)
for (set in names(sets)) {
  d <- sets[[set]]
  fit <- coxph(update(formulas[[set]], Surv(time, event) ~ .), data = d, ties = "efron", control = control)
  table <- summary(fit)
  for (term in names(coef(fit)))
    put(set, "coxph", term, c("coefficient", "standard_error", "p_value", "ci_low", "ci_high"),
        c(coef(fit)[[term]], sqrt(vcov(fit)[term, term]), table$coefficients[term, "Pr(>|z|)"],
          table$conf.int[term, c("lower .95", "upper .95")]))
  put(set, "model", "", c("concordance", "log_likelihood", "n", "events"),
      c(table$concordance[["C"]], fit$loglik[2], fit$n, fit$nevent))
  z <- cox.zph(fit, transform = "km")$table
  for (term in rownames(z))
    put(set, "zph", term, c("chi_square", "degrees_of_freedom", "p_value"), z[term, ])
}
save_golden("cox")
