-- Of chances to win that were given before the day, by tens of per cent, how often they came about.
SELECT chance_from, chances, mean_chance, came_about FROM forecast_reliability($league)
