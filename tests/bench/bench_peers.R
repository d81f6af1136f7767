# Poisson goals by attack and defence of teams and by home, as a package of R fits them.
# Rscript bench_peers.R lme4|glmmTMB|rstan ROWS.csv EFFECTS.csv; rows: goals, at_home, attack, defence.
given <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(given[2], colClasses = c(attack = "character", defence = "character"))
teams <- sort(unique(c(rows$attack, rows$defence)))
rows$attack <- factor(rows$attack, teams)
rows$defence <- factor(rows$defence, teams)
model <- goals ~ at_home + (1 | attack) + (1 | defence)

stan <- "
data { int n; int k; int goals[n]; vector[n] at_home; int attack[n]; int defence[n]; }
parameters { real intercept; real home; real<lower=0> sd_attack; real<lower=0> sd_defence; vector[k] a; vector[k] d; }
model {
  intercept ~ normal(0, 1); home ~ normal(0, 1); sd_attack ~ normal(0, 0.5); sd_defence ~ normal(0, 0.5);
  a ~ normal(0, 1); d ~ normal(0, 1);
  goals ~ poisson_log(intercept + home * at_home + sd_attack * a[attack] + sd_defence * d[defence]);
}
generated quantities { vector[k] of_attack = sd_attack * a; vector[k] of_defence = sd_defence * d; }
"

mixed <- function(fixed, random) {
  list(intercept = fixed[[1]], at_home = fixed[[2]], attack = random$attack[teams, 1], defence = random$defence[teams, 1])
}
fits <- list(
  lme4 = function() {
    fit <- lme4::glmer(model, rows, family = poisson)
    mixed(lme4::fixef(fit), lme4::ranef(fit))
  },
  glmmTMB = function() {
    fit <- glmmTMB::glmmTMB(model, rows, family = poisson)
    mixed(glmmTMB::fixef(fit)$cond, glmmTMB::ranef(fit)$cond)
  },
  rstan = function() {
    known <- list(n = nrow(rows), k = length(teams), goals = rows$goals, at_home = rows$at_home,
                  attack = as.integer(rows$attack), defence = as.integer(rows$defence))
    fit <- rstan::sampling(compiled, known, chains = 4, cores = 2, seed = 1, refresh = 0)
    means <- lapply(rstan::extract(fit), function(one) if (length(dim(one)) > 1) colMeans(one) else mean(one))
    list(intercept = means$intercept, at_home = means$home, attack = means$of_attack, defence = means$of_defence)
  }
)
if (given[1] == "rstan") compiled <- rstan::stan_model(model_code = stan)  # as ours: compiling is not counted
began <- proc.time()[["elapsed"]]
found <- fits[[given[1]]]()
seconds <- proc.time()[["elapsed"]] - began
write.csv(data.frame(
  what = c("seconds", "intercept", "at_home", rep(c("attack", "defence"), each = length(teams))),
  value = c(seconds, found$intercept, found$at_home, found$attack, found$defence)
), given[3], row.names = FALSE)
