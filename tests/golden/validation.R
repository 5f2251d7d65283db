# Optimism by the bootstrap: rms::validate, and the same resamples fitted to the last digit, because validate stops
# its fits early.
# Run from the project root:  Rscript tests/golden/validation.R
source("tests/golden/sets.R")
suppressMessages(library(rms))
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100, timefix = FALSE)
of <- list(lung = c("age", "sex", "karno"), demo_dmfs = c("sex", "age"),
  veteran = c("trt", "karno", "age"))
B <- 12
for (set in names(of)) {
  d <- sets[[set]]
  n <- nrow(d)
  formula <- reformulate(of[[set]], "Surv(time, event)")
  set.seed(20260101)
  theirs <- validate(cph(formula, data = d, x = TRUE, y = TRUE), B = B)
  set.seed(20260101)
  resamples <- lapply(seq_len(B), function(i) sample(n, replace = TRUE))
  C <- function(score, rows) concordance(Surv(time, event) ~ score, data = rows, reverse = TRUE)$concordance
  whole <- coxph(formula, data = d, ties = "efron", control = control)
  x <- model.matrix(whole)
  each <- sapply(resamples, function(rows) {
    fit <- coxph(formula, data = d[rows, ], ties = "efron", control = control)
    score <- c(x %*% coef(fit))
    again <- coxph(Surv(time, event) ~ score, data = d, ties = "efron", control = control)
    c(train = C(score[rows], d[rows, ]), test = C(score, d), slope = coef(again)[[1]])
  })
  apparent <- C(c(x %*% coef(whole)), d)
  optimism <- mean(each["train", ] - each["test", ])
  stopifnot(abs(theirs["Dxy", "optimism"] / 2 - optimism) < 2e-3, abs(theirs["Slope", "test"] - mean(each["slope", ])) < 2e-3)
  put(set, "concordance", "", c("apparent", "optimism", "corrected"), c(apparent, optimism, apparent - optimism))
  put(set, "calibration slope", "", c("apparent", "optimism", "corrected"),
      c(1, 1 - mean(each["slope", ]), mean(each["slope", ])))
  put(set, "rms", "", c("concordance", "slope"), c(theirs["Dxy", "index.corrected"] / 2 + 0.5, theirs["Slope", "index.corrected"]))
  for (i in seq_len(B))
    put(set, "resample", paste(i, seq_len(n)), "row", resamples[[i]])
}
save_golden("validation")
