-- Tiers of a leaderboard, from joint draws, as ranks are.

ALTER TABLE standing ADD COLUMN tier INTEGER;
COMMENT ON COLUMN standing.tier IS 'Tier among the ranked, from 1: a tier begins with the first, and again with whoever is next below it and truly worse than the first of its tier with a probability of 0.9 or more; NULL for others, and of fits made before there were tiers.';
