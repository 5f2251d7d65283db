# Joint tests of the covariates of a Cox model (drop1 and Wald), its concordance with the standard error of the
# infinitesimal jackknife, and the univariable models beside it.
# Run from the project root:  Rscript tests/golden/joint_tests.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
outcome <- list(sets = "Surv(time, event)", late = "Surv(entry, time, event)")
for (family in names(outcome)) for (set in names(if (family == "sets") sets else late)) {
  d <- (if (family == "sets") sets else late)[[set]]
  terms <- all.vars((if (family == "sets") formulas else late_formulas)[[set]])
  cox <- function(of) coxph(reformulate(of, outcome[[family]]), data = d, ties = "efron", control = control)
  fit <- cox(terms)
  dropped <- drop1(fit, test = "Chisq")
  assigned <- rep(names(fit$assign), lengths(fit$assign))
  for (term in terms) {
    at <- assigned == term
    wald <- c(coef(fit)[at] %*% solve(vcov(fit)[at, at], coef(fit)[at]))
    put(set, "joint", term, c("degrees_of_freedom", "likelihood_ratio", "p_value", "wald", "wald_p_value"),
        c(dropped[term, "Df"], dropped[term, "LRT"], dropped[term, "Pr(>Chi)"], wald,
          pchisq(wald, sum(at), lower.tail = FALSE)))
    alone <- cox(term)
    table <- summary(alone)
    for (name in names(coef(alone)))
      put(set, "univariable", name, c("coefficient", "standard_error", "p_value", "ci_low", "ci_high"),
          c(coef(alone)[[name]], sqrt(vcov(alone)[name, name]), table$coefficients[name, "Pr(>|z|)"],
            table$conf.int[name, c("lower .95", "upper .95")]))
    put(set, "univariable joint", term, c("univariable_likelihood_ratio", "univariable_p_value"),
        table$logtest[c("test", "pvalue")])
  }
  all <- summary(fit)
  put(set, "holm", terms, "adjusted_p_value", p.adjust(dropped[terms, "Pr(>Chi)"], "holm"))
  put(set, "fdr", terms, "adjusted_p_value", p.adjust(dropped[terms, "Pr(>Chi)"], "BH"))
  put(set, "model", "", c("concordance", "concordance_standard_error", "log_likelihood", "likelihood_ratio",
                          "degrees_of_freedom", "p_value", "wald", "wald_p_value"),
      c(concordance(fit)$concordance, sqrt(concordance(fit)$var), fit$loglik[2], all$logtest,
        fit$wald.test, pchisq(fit$wald.test, length(coef(fit)), lower.tail = FALSE)))
}
# A level without events: its coefficient tends to minus infinity, the likelihood to a limit.
eventless <- list(
  lung = c("age", "sex", "rare"), veteran = c("karno", "trt", "rare"), gbsg = c("nodes", "hormon", "rare"),
  demo_os = c("age", "sex", "rare"))
for (set in names(eventless)) {
  fit <- suppressWarnings(coxph(reformulate(eventless[[set]], "Surv(time, event)"), data = sets[[set]],
                                ties = "efron", control = control))
  dropped <- suppressWarnings(drop1(fit, test = "Chisq"))
  for (term in eventless[[set]])
    put(set, "eventless", term, c("degrees_of_freedom", "likelihood_ratio", "p_value"),
        unlist(dropped[term, c("Df", "LRT", "Pr(>Chi)")]))
}
# Breslow's ties.
for (set in c("lung", "veteran", "colon", "demo_lrfs")) {
  fit <- coxph(update(formulas[[set]], Surv(time, event) ~ .), data = sets[[set]], ties = "breslow", control = control)
  dropped <- drop1(fit, test = "Chisq")
  for (term in all.vars(formulas[[set]]))
    put(set, "breslow", term, "likelihood_ratio", dropped[term, "LRT"])
  for (term in names(coef(fit)))
    put(set, "breslow coxph", term, c("coefficient", "standard_error"), c(coef(fit)[[term]], sqrt(vcov(fit)[term, term])))
}
save_golden("joint_tests")
