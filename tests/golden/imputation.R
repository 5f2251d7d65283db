# Multiple imputation: data sets imputed by mice, the Cox models fitted to each, and their pooled results.
# Run from the project root:  Rscript tests/golden/imputation.R
source("tests/golden/sets.R")
suppressMessages({library(mice); library(mitml)})
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
of <- list(lung = c("age", "sex", "karno"), demo_dmfs = c("age", "sex", "sequence"),
  veteran = c("trt", "celltype", "karno", "age"))
# Values are missing with a probability that depends on the time and the event, which complete cases get wrong.
missing_at_random <- function(d, gone) {
  for (name in gone) {
    p <- plogis(-1.2 + 0.8 * scale(rank(d$time))[, 1] - 0.5 * d$event)
    d[[name]][runif(nrow(d)) < p] <- NA
  }
  d
}
gone <- list(lung = c("karno", "age"), demo_dmfs = c("sequence", "age"), veteran = c("karno", "celltype", "age"))
of_mice <- function(d, terms, m, seed, maxit) {
  d <- cbind(d[terms], event = as.integer(d$event), hazard = nelsonaalen(d, time, event))
  d[sapply(d, is.character)] <- lapply(d[sapply(d, is.character)], factor)
  mice(d, m = m, maxit = maxit, seed = seed, printFlag = FALSE,
       method = sapply(d, function(x) if (!anyNA(x)) "" else if (is.numeric(x)) "pmm" else if (nlevels(x) > 2) "polyreg" else "logreg"))
}
for (set in names(of)) {
  set.seed(20260101)
  d <- missing_at_random(sets[[set]], gone[[set]])
  for (name in gone[[set]]) put(set, "missing", paste(name, which(is.na(d[[name]]))), "row", which(is.na(d[[name]])))
  m <- 6
  imputed <- of_mice(d, of[[set]], m, 1, 5)
  fits <- lapply(seq_len(m), function(i) {
    x <- complete(imputed, i)
    for (name in gone[[set]]) {
      at <- which(is.na(d[[name]]))
      # Levels as their position in the sorted levels, from 1.
      value <- if (is.numeric(x[[name]])) x[[name]][at] else match(as.character(x[[name]][at]), sort(unique(sets[[set]][[name]])))
      put(set, "imputed", paste(i, name, at), "value", value)
    }
    x$time <- d$time
    x$status <- d$event
    eval(bquote(coxph(.(reformulate(of[[set]], "Surv(time, status)")), data = x, ties = "efron", control = control)))
  })
  # mice's own nelsonaalen has Efron's ties.
  curve <- survfit(Surv(time, event) ~ 1, data = d)
  put(set, "nelson-aalen", seq_len(nrow(d)), "hazard", curve$cumhaz[match(d$time, curve$time)])
  table <- summary(pool(fits), conf.int = TRUE)
  whole <- pool(fits)$pooled
  for (i in seq_len(nrow(table)))
    put(set, "pooled", table$term[i], c("coefficient", "standard_error", "degrees_of_freedom", "p_value", "ci_low", "ci_high", "missing_information"),
        c(table$estimate[i], table$std.error[i], table$df[i], table$p.value[i], exp(table[["2.5 %"]][i]), exp(table[["97.5 %"]][i]), whole$fmi[i]))
  assigned <- rep(names(fits[[1]]$assign), lengths(fits[[1]]$assign))
  for (term in of[[set]]) {
    rest <- setdiff(of[[set]], term)
    smaller <- lapply(seq_len(m), function(i) {
      x <- complete(imputed, i); x$time <- d$time; x$status <- d$event
      eval(bquote(coxph(.(reformulate(rest, "Surv(time, status)")), data = x, ties = "efron", control = control)))
    })
    for (small in c(FALSE, TRUE)) {
      complete_df <- if (small) fits[[1]]$nevent - length(coef(fits[[1]])) else NULL
      test <- testModels(as.mitml.result(fits), as.mitml.result(smaller), method = "D1", df.com = complete_df)$test
      put(set, if (small) "joint" else "joint large", term, c("joint_f", "joint_degrees_of_freedom", "joint_denominator", "joint_p_value"), test[1, 1:4])
    }
  }
  # What mice's own imputations give with many of them: the draws of another implementation must come near.
  many <- of_mice(d, of[[set]], 40, 2, 10)
  fits <- lapply(seq_len(40), function(i) {
    x <- complete(many, i); x$time <- d$time; x$status <- d$event
    eval(bquote(coxph(.(reformulate(of[[set]], "Surv(time, status)")), data = x, ties = "efron", control = control)))
  })
  table <- summary(pool(fits))
  whole <- pool(fits)$pooled
  for (i in seq_len(nrow(table)))
    put(set, "many", table$term[i], c("coefficient", "standard_error", "missing_information"), c(table$estimate[i], table$std.error[i], whole$fmi[i]))
}
save_golden("imputation")
