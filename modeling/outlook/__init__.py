"""What is to come: a game's forecast, the rest of a season, a cup; from joint draws of a fit, walked on to its days."""
