# Inverse-probability weights: propensity by glm, stabilised weights, weighted survfit and coxph with robust variance.
# Run from the project root:  Rscript tests/golden/weighting.R
source("tests/golden/sets.R")
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
of <- list(
  lung = list("sex", "female", c("age", "karno")), veteran = list("trt", "trt2", c("age", "karno", "celltype")),
  gbsg = list("hormon", "hormon1", c("age", "size", "nodes", "grade")),
  demo_dmfs = list("sequence", "preoperative", c("age", "sex", "region")),
  late_demo_dmfs = list("sequence", "preoperative", c("age", "sex")))
all_sets <- c(sets, late)
for (set in names(of)) {
  d <- all_sets[[set]]
  treated <- d[[of[[set]][[1]]]] == of[[set]][[2]]
  d$treated <- as.integer(treated)
  terms <- of[[set]][[3]]
  fit <- glm(reformulate(terms, "treated"), data = d, family = binomial, control = glm.control(epsilon = 1e-15, maxit = 100))
  score <- fitted(fit)
  if (any(fit$fitted.values < 1e-7 | fit$fitted.values > 1 - 1e-7)) stop(set, " is separated")
  put(set, "propensity", seq_len(nrow(d)), "score", score)
  w <- ifelse(treated, mean(treated) / score, mean(!treated) / (1 - score))
  plain <- ifelse(treated, 1 / score, 1 / (1 - score))
  put(set, "weights", seq_len(nrow(d)), "stabilised", w)
  for (g in 0:1) put(set, "effective", g, "size", sum(w[treated == g])^2 / sum(w[treated == g]^2))
  outcome <- if (is.null(d$entry)) "Surv(time, event)" else "Surv(entry, time, event)"
  for (ties in c("efron", "breslow")) for (kind in c("stabilised", "plain", "none")) {
    d$w <- switch(kind, stabilised = w, plain = plain, none = rep(1, nrow(d)))
    d$row <- seq_len(nrow(d))
    cox <- coxph(reformulate("treated", outcome), data = d, weights = w, id = row, robust = TRUE, ties = ties, control = control)
    put(set, "cox", paste(ties, kind), c("coefficient", "standard_error"), c(coef(cox), sqrt(vcov(cox)[1, 1])))
  }
  for (kind in c("stabilised", "plain")) {
    d$w <- if (kind == "plain") plain else w
    for (g in 0:1) {
      curve <- survfit(reformulate("1", outcome), data = d[d$treated == g, ], weights = w, id = row, robust = TRUE, conf.type = "log-log")
      at <- if (is.null(d$entry)) rep(TRUE, length(curve$time)) else curve$time %in% d$time[d$treated == g]
      for (part in c("surv", "lower", "upper", "n.risk"))
        put(set, paste("curve", kind), paste(g, curve$time[at]), part, curve[[part]][at])
    }
  }
  # Standardised differences before and after; their spread is that of the patients as they are.
  for (term in terms) {
    columns <- if (is.character(d[[term]])) sapply(sort(unique(d[[term]])), function(l) d[[term]] == l) else cbind(d[[term]])
    for (i in seq_len(ncol(columns))) {
      x <- as.numeric(columns[, i])
      spread <- if (is.character(d[[term]])) sqrt((mean(x[treated]) * (1 - mean(x[treated])) + mean(x[!treated]) * (1 - mean(x[!treated]))) / 2)
                else sqrt((var(x[treated]) + var(x[!treated])) / 2)
      put(set, "balance", paste0(term, if (is.character(d[[term]])) sort(unique(d[[term]]))[i] else ""), c("before", "after"),
          c(abs(mean(x[treated]) - mean(x[!treated])),
            abs(weighted.mean(x[treated], w[treated]) - weighted.mean(x[!treated], w[!treated]))) / spread)
    }
  }
}
# Separated treatments: Firth's penalty by Heinze and Schemper's augmented data, as a fit of its own.
d <- sets$lung
d$treated <- as.integer(d$karno >= 80)
x <- model.matrix(~ karno + age, d)
h <- rep(0, nrow(d))
for (i in 1:4000) {
  p <- if (i == 1) rep(0.5, nrow(d)) else fitted(fit)[seq_len(nrow(d))]
  root <- sqrt(p * (1 - p)) * x
  before <- h
  h <- rowSums((root %*% solve(crossprod(root))) * root)
  y <- c(d$treated, d$treated, 1 - d$treated)
  fit <- suppressWarnings(glm.fit(rbind(x, x, x), y, weights = c(rep(1, nrow(d)), h / 2, h / 2), family = binomial(),
                                  control = glm.control(epsilon = 1e-15, maxit = 100)))
  if (max(abs(h - before)) < 1e-13) break
}
put("lung", "firth", seq_len(nrow(d)), "score", fit$fitted.values[seq_len(nrow(d))])
save_golden("weighting")
