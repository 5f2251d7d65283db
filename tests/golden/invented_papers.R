# Invented papers without an error: cohorts are drawn, estimated by R and printed as papers print, in several styles.
# Run from the project root:  Rscript tests/golden/invented_papers.R
library(survival)
RNGversion("4.0.0")
columns <- c("paper", "id", "section", "quantity", "group/level", "n", "denominator", "pct", "value", "ci_low", "ci_high",
             "p", "unit", "statistic", "where", "of", "column", "endpoint", "horizon", "model", "term", "level", "method",
             "comparison", "parts")
out <- NULL
paper <- 0
comma <- FALSE
put <- function(...) {
  row <- list(...)
  cells <- setNames(rep("", length(columns)), columns)
  for (name in names(row)) cells[[name]] <- as.character(row[[name]])
  printed <- c("pct", "value", "ci_low", "ci_high", "p")
  if (comma) cells[printed] <- sub(".", ",", cells[printed], fixed = TRUE)
  cells[["paper"]] <- paper
  cells[["id"]] <- if (is.null(out)) 1 else sum(out[, "paper"] == paper) + 1
  out <<- rbind(out, cells)
}
number <- function(x, digits) formatC(x, format = "f", digits = digits)
p_text <- function(p, digits) if (p < 10^-digits) paste0("<", number(10^-digits, digits)) else number(p, digits)
count <- function(section, quantity, level, n, total, digits, ...)
  put(section = section, quantity = quantity, "group/level" = level, n = n, denominator = total,
      pct = number(100 * n / total, digits), statistic = "count", ...)

styles <- data.frame(seed = 1:8, n = c(60, 86, 120, 240, 400, 97, 150, 33), digits = c(0, 1, 1, 2, 0, 1, 0, 1),
                     ratio = c(2, 3, 2, 2, 3, 2, 2, 3), p = c(3, 4, 3, 4, 3, 2, 3, 4), rate = c(0, 1, 1, 1, 0, 1, 1, 1),
                     interval = c("log-log", "log-log", "log", "plain", "log", "log-log", "logit", "arcsin"))
for (i in seq_len(nrow(styles))) {
  s <- styles[i, ]
  set.seed(s$seed)
  paper <- i
  comma <- i %in% c(3, 6)
  n <- s$n
  d <- data.frame(sex = sample(c("female", "male"), n, TRUE), grade = sample(c("G1", "G2", "G3"), n, TRUE, c(.1, .4, .5)),
                  histology = sample(c("A", "B", "C"), n, TRUE, c(.5, .3, .2)), age = round(pmin(95, pmax(18, rnorm(n, 60, 14)))))
  risk <- exp(0.03 * (d$age - 60) + 0.5 * (d$grade == "G3") - 0.4 * (d$sex == "female"))
  death <- rexp(n, 0.012 * risk); relapse <- rexp(n, 0.015 * risk); censored <- runif(n, 6, 96)
  d$os <- round(pmin(death, censored), 2); d$died <- death <= censored
  d$dfs <- round(pmin(death, relapse, censored), 2); d$failed <- pmin(death, relapse) <= censored
  known <- if (i %% 2) rep(TRUE, n) else runif(n) < 0.9

  put(section = "Table 1", quantity = "patients", "group/level" = "all", n = n, statistic = "count")
  for (v in c("sex", "histology"))
    for (l in sort(unique(d[[v]]))) count("Table 1", v, l, sum(d[[v]] == l), n, s$digits, where = paste0(v, "=", l))
  # Grades of some are not known: the denominator is the number of the known ones.
  for (l in sort(unique(d$grade[known])))
    count("Table 1", "grade", l, sum(d$grade[known] == l), sum(known), s$digits, where = paste0("grade=", l))
  for (v in c("age", "os")) {
    q <- quantile(d[[v]]); name <- c(age = "age", os = "follow_up")[[v]]; unit <- c(age = "years", os = "months")[[v]]
    put(section = "Table 1", quantity = name, "group/level" = "median (Q1-Q3)", value = number(q[3], 0), ci_low = number(q[2], 0),
        ci_high = number(q[4], 0), unit = unit, statistic = "quartiles", column = name)
    put(section = "Table 1", quantity = name, "group/level" = "median (range)", value = number(q[3], 1), ci_low = number(q[1], 1),
        ci_high = number(q[5], 1), unit = unit, statistic = "range", column = name)
  }
  count("Results", "sex", "female", sum(d$sex == "female"), n, 0, where = "sex=female")
  count("Results", "deaths", "", sum(d$died), n, s$digits, where = "died=yes")
  count("Results", "deaths", "of the women", sum(d$died & d$sex == "female"), sum(d$sex == "female"), s$digits,
        where = "died=yes", of = "sex=female", parts = "")
  for (l in c("female", "male"))
    put(section = "Results", quantity = "deaths by sex", "group/level" = l, n = sum(d$died & d$sex == l), denominator = sum(d$died),
        statistic = "count", where = paste0("sex=", l), of = "died=yes", parts = "deaths by sex")
  put(section = "Results", quantity = "events", "group/level" = "OS", n = sum(d$died), statistic = "events", endpoint = "OS")
  put(section = "Results", quantity = "events", "group/level" = "DFS", n = sum(d$failed), statistic = "events", endpoint = "DFS")
  for (e in c("OS", "DFS")) {
    fit <- if (e == "OS") survfit(Surv(os, died) ~ 1, d, conf.type = s$interval) else survfit(Surv(dfs, failed) ~ 1, d, conf.type = s$interval)
    for (h in c(6, 24, 60)) if (max(d$os) > h) {
      at <- summary(fit, times = h)
      put(section = "Results", quantity = paste(e, "rate"), "group/level" = paste(h, "months"), value = number(100 * at$surv, s$rate),
          ci_low = number(100 * at$lower, s$rate), ci_high = number(100 * at$upper, s$rate), unit = "%", statistic = "survival",
          endpoint = e, horizon = h)
      if (h == 24)
        put(section = "abstract", quantity = paste(e, "rate"), "group/level" = "2 years",
            value = if (s$rate) number(as.numeric(number(100 * at$surv, s$rate)), 0) else number(100 * at$surv, 0), unit = "%",
            statistic = "survival", endpoint = e, horizon = h)
    }
    m <- summary(fit)$table
    shown <- function(x, none) if (is.na(x)) none else number(x, 1)
    put(section = "Results", quantity = paste("median", e), value = shown(m[["median"]], "NR"), ci_low = shown(m[[8]], "NE"),
        ci_high = shown(m[[9]], "NE"), unit = "months", statistic = "median", endpoint = e)
    model <- if (e == "OS") coxph(Surv(os, died) ~ sex + age + histology, d) else coxph(Surv(dfs, failed) ~ sex + age + histology, d)
    t <- summary(model)
    for (term in rownames(t$conf.int)) {
      name <- sub("^(sex|histology)", "", term)
      ci <- t$conf.int[term, ]
      put(section = if (e == "OS") "Table 2" else "Table 3", quantity = paste("HR", e), "group/level" = term,
          value = number(ci[[1]], s$ratio), ci_low = number(ci[[3]], s$ratio), ci_high = number(ci[[4]], s$ratio),
          p = p_text(t$coefficients[term, 5], s$p), statistic = "hazard ratio", model = e,
          term = sub("(male|[ABC])$", "", term), level = if (name == term) "" else name)
    }
  }
  # A comparison of two groups, by the test that the style names.
  table <- table(factor(d$sex, c("female", "male")), d$died)
  test <- if (i %% 2) fisher.test(table) else suppressWarnings(chisq.test(table, correct = i %% 4 == 0))
  for (l in c("female", "male"))
    put(section = "Results", quantity = "deaths", "group/level" = paste(l, "patients"), n = table[l, "TRUE"], denominator = sum(table[l, ]),
        pct = number(100 * table[l, "TRUE"] / sum(table[l, ]), s$digits), statistic = "count", where = "died=yes",
        of = paste0("sex=", l), comparison = "deaths by sex", p = if (l == "male") p_text(test$p.value, s$p) else "",
        method = if (l == "male") (if (i %% 2) "Fisher" else "") else "")
  g <- glm(died ~ sex + age, binomial, d)
  w <- summary(g)$coefficients
  for (term in c("sexmale", "age")) {
    ci <- exp(confint.default(g)[term, ])
    put(section = "Table 4", quantity = "OR death", "group/level" = term, value = number(exp(w[term, 1]), s$ratio),
        ci_low = number(ci[1], s$ratio), ci_high = number(ci[2], s$ratio), p = p_text(w[term, 4], s$p), statistic = "odds ratio",
        model = "death", term = sub("male$", "", term), level = if (term == "age") "" else "male")
  }
}
write.csv(out, "tests/golden/invented_papers.csv", row.names = FALSE, quote = TRUE)
