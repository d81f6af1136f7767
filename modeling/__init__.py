"""From games to ratings: games -> design -> engine -> judge -> ratings and forecasts, written to the warehouse."""
