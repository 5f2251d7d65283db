# Models of competing risks: Fine and Gray's by cmprsk (Breslow's ties, variance with the estimated censoring) and by
# finegray with coxph (Efron's ties), and the cause-specific hazards.
# Run from the project root:  Rscript tests/golden/competing_models.R
source("tests/golden/sets.R")
suppressMessages(library(cmprsk))
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
of <- list(
  rotterdam = ~ age + size + grade + nodes + hormon, colon = ~ rx + sex + age + obstruct + nodes + differ,
  mgus2 = ~ age + sex + hgb + mspike, demo_lrfs = ~ sex + age, demo_dmfs = ~ sex + age)
for (set in names(of)) {
  d <- sets[[set]]
  kinds <- sort(setdiff(unique(d$kind), ""))
  d$state <- factor(d$kind, levels = c("", kinds), labels = c("censored", kinds))
  x <- model.matrix(of[[set]], d)[, -1, drop = FALSE]
  for (kind in kinds) {
    object <- paste(kind, c("cmprsk", "finegray", "cause-specific"))
    fit <- crr(d$time, as.integer(d$state) - 1, x, failcode = match(kind, kinds), cencode = 0, gtol = 1e-12, maxiter = 200)
    for (term in colnames(x))
      put(set, object[1], term, c("coefficient", "standard_error"),
          c(fit$coef[[term]], sqrt(diag(fit$var))[match(term, colnames(x))]))
    expanded <- finegray(update(of[[set]], Surv(time, state) ~ .), data = d, etype = kind)
    weighted <- coxph(update(of[[set]], Surv(fgstart, fgstop, fgstatus) ~ .), data = expanded, weights = fgwt,
                      ties = "efron", control = control)
    for (term in names(coef(weighted)))
      put(set, object[2], term, "coefficient", coef(weighted)[[term]])
    d$of_kind <- d$kind == kind
    specific <- coxph(update(of[[set]], Surv(time, of_kind) ~ .), data = d, ties = "efron", control = control)
    for (term in names(coef(specific)))
      put(set, object[3], term, c("coefficient", "standard_error"),
          c(coef(specific)[[term]], sqrt(vcov(specific)[term, term])))
  }
}
# A level without events: the first forty patients without progression.
d <- sets$mgus2
d$rare <- seq_len(nrow(d)) %in% head(which(d$kind != "progression"), 40)
# Its coefficient tends to minus infinity: from -20 on it no longer matters.
fit <- crr(d$time, match(d$kind, c("", "progression", "death")) - 1, cbind(rare = d$rare, age = d$age), failcode = 1,
           cencode = 0, init = c(-20, 0), gtol = 1e-9, maxiter = 100)
put("mgus2", "without events", "age", c("coefficient", "standard_error"), c(fit$coef[["age"]], sqrt(fit$var[2, 2])))
save_golden("competing_models")
