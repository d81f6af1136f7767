-- The three large tables of results lose their primary keys: with the keys, loading 850,000 tennis matches takes five
-- times as long and the file is five times as large. That a game, a side or an appearance stands there once is held by
-- the loader instead: `ingest` validates its frames' keys, and a load fails where a game came in twice.

ALTER TABLE game RENAME TO keyed_game;
CREATE TABLE game (
    league VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    contest_id VARCHAR NOT NULL,
    sequence INTEGER NOT NULL,
    season VARCHAR NOT NULL,
    played_on DATE NOT NULL,
    played_on_precision VARCHAR NOT NULL CHECK (played_on_precision IN ('day', 'month', 'season')),
    status VARCHAR NOT NULL
        CHECK (status IN ('scheduled', 'played', 'retired', 'walkover', 'abandoned', 'awarded')),
    round VARCHAR,
    neutral BOOLEAN NOT NULL,
    attributes MAP(VARCHAR, VARCHAR) NOT NULL,
    slice VARCHAR NOT NULL
);
INSERT INTO game BY NAME FROM keyed_game;
DROP TABLE keyed_game;
COMMENT ON TABLE game IS 'One row a game: one contest, or one stint or goal of a contest. Its entries are in side, its players in appearance.';
COMMENT ON COLUMN game.league IS 'League the game belongs to.';
COMMENT ON COLUMN game.game_id IS 'Key of the game in its league, made from what identifies it at the source; never from its result or its line.';
COMMENT ON COLUMN game.contest_id IS 'The contest the game is part of; the game itself where it is a whole contest. "Games" on a leaderboard counts contests.';
COMMENT ON COLUMN game.sequence IS 'Order of games of one day, from 0, as the source orders them; 0 where it does not say.';
COMMENT ON COLUMN game.season IS 'Season as the source names it, else the calendar year.';
COMMENT ON COLUMN game.played_on IS 'Day the game was or will be played.';
COMMENT ON COLUMN game.played_on_precision IS 'How exactly the day is known: day, month or season.';
COMMENT ON COLUMN game.status IS 'scheduled, played, retired, walkover, abandoned or awarded; ratings use played and what the outcome allows.';
COMMENT ON COLUMN game.round IS 'Round of the competition, as the source names it.';
COMMENT ON COLUMN game.neutral IS 'True where no side has home advantage.';
COMMENT ON COLUMN game.attributes IS 'What else the source says (competition, venue, surface, odds ...), as text.';
COMMENT ON COLUMN game.slice IS 'The named slice of the league that this row was loaded with; a load replaces whole slices.';

ALTER TABLE side RENAME TO keyed_side;
CREATE TABLE side (
    league VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    side SMALLINT NOT NULL CHECK (side >= 1),
    team VARCHAR,
    is_home BOOLEAN NOT NULL,
    score DOUBLE,
    finish SMALLINT,
    won BOOLEAN,
    exposure DOUBLE NOT NULL DEFAULT 1 CHECK (exposure > 0)
);
INSERT INTO side BY NAME FROM keyed_side;
DROP TABLE keyed_side;
COMMENT ON TABLE side IS 'One row a side: one entry in a game (home, away, or each entrant of a race).';
COMMENT ON COLUMN side.league IS 'League of the game.';
COMMENT ON COLUMN side.game_id IS 'The game.';
COMMENT ON COLUMN side.side IS 'Number of the side in its game, from 1; the order is a seeded hash of game_id and carries no result.';
COMMENT ON COLUMN side.team IS 'competitor_id of the team; NULL where only players enter.';
COMMENT ON COLUMN side.is_home IS 'True where the side has home advantage in this game (never on neutral ground).';
COMMENT ON COLUMN side.score IS 'Goals, points or runs; NULL where there are none.';
COMMENT ON COLUMN side.finish IS 'Finishing position from 1; NULL where not classified or not a race.';
COMMENT ON COLUMN side.won IS 'True, false, or NULL for a draw or a game without a winner.';
COMMENT ON COLUMN side.exposure IS 'Opportunity to score, for example minutes or possessions divided by those of a full game; 1 for a full game.';

ALTER TABLE appearance RENAME TO keyed_appearance;
CREATE TABLE appearance (
    league VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    side SMALLINT NOT NULL,
    player VARCHAR NOT NULL,
    share DOUBLE NOT NULL CHECK (share > 0 AND share <= 1),
    role VARCHAR
);
INSERT INTO appearance BY NAME FROM keyed_appearance;
DROP TABLE keyed_appearance;
COMMENT ON TABLE appearance IS 'One row a player''s appearance on a side.';
COMMENT ON COLUMN appearance.league IS 'League of the game.';
COMMENT ON COLUMN appearance.game_id IS 'The game.';
COMMENT ON COLUMN appearance.side IS 'The side in that game.';
COMMENT ON COLUMN appearance.player IS 'competitor_id of the player.';
COMMENT ON COLUMN appearance.share IS 'Fraction of that game or stint played, above 0 to 1.';
COMMENT ON COLUMN appearance.role IS 'Position or role, as the source names it.';
