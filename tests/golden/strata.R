# Stratified Cox models: coxph with strata, its concordance, cox.zph and drop1.
# Run from the project root:  Rscript tests/golden/strata.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
stratified <- list(
  veteran = c("celltype"), gbsg = c("grade", "meno"), rotterdam = "size", colon = c("rx", "sex"), demo_dmfs = "sequence",
  mgus = "sex", late_demo_os = "sex")
for (set in names(stratified)) {
  early <- set %in% names(sets)
  d <- if (early) sets[[set]] else late[[set]]
  terms <- setdiff(all.vars(if (early) formulas[[set]] else late_formulas[[set]]), stratified[[set]])
  of <- paste0("strata(", paste(stratified[[set]], collapse = ", "), ")")
  outcome <- if (early) "Surv(time, event)" else "Surv(entry, time, event)"
  fit <- coxph(reformulate(c(terms, of), outcome), data = d, ties = "efron", control = control)
  for (term in names(coef(fit)))
    put(set, "coxph", term, c("coefficient", "standard_error"), c(coef(fit)[[term]], sqrt(vcov(fit)[term, term])))
  c <- concordance(fit)
  put(set, "model", "", c("concordance", "concordance_standard_error", "log_likelihood", "likelihood_ratio"),
      c(c$concordance, sqrt(c$var), fit$loglik[2], summary(fit)$logtest[["test"]]))
  for (term in terms) {
    rest <- coxph(reformulate(c(setdiff(terms, term), of), outcome), data = d, ties = "efron", control = control)
    put(set, "joint", term, "likelihood_ratio", 2 * (fit$loglik[2] - tail(rest$loglik, 1)))
  }
  z <- cox.zph(fit, transform = "km")$table
  for (term in rownames(z))
    put(set, "zph", term, "chi_square", z[term, "chisq"])
}
save_golden("strata")
