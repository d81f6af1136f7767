"""What a fit's replications and held-out forecasts show beside the checks, as tables for people to look at."""
