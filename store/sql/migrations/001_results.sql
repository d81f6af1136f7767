-- What came in: leagues, competitors, games, sides, appearances, and the record of every load.

CREATE TABLE league (
    league VARCHAR PRIMARY KEY,
    title VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    source VARCHAR[] NOT NULL,
    licence VARCHAR NOT NULL,
    is_simulated BOOLEAN NOT NULL,
    stanza VARCHAR NOT NULL,
    updated_at_utc TIMESTAMP NOT NULL
);
COMMENT ON TABLE league IS 'One row a league: a pool of results that is rated together. Written from its stanza in leagues.toml at each pull.';
COMMENT ON COLUMN league.league IS 'Key of the league, the name of its stanza in leagues.toml.';
COMMENT ON COLUMN league.title IS 'Name shown to people.';
COMMENT ON COLUMN league.feed IS 'The feed (source format) that reads the results.';
COMMENT ON COLUMN league.outcome IS 'Outcome family: win, result, margin, score or order.';
COMMENT ON COLUMN league.source IS 'URLs or paths the results come from, as written in the stanza.';
COMMENT ON COLUMN league.licence IS 'Licence of the results as their source states it.';
COMMENT ON COLUMN league.is_simulated IS 'True where the results were made by our simulator, not played.';
COMMENT ON COLUMN league.stanza IS 'The stanza as JSON, defaults filled in.';
COMMENT ON COLUMN league.updated_at_utc IS 'When this row was last written, UTC.';

CREATE TABLE competitor (
    league VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('team', 'player')),
    name VARCHAR NOT NULL,
    entity_id VARCHAR,
    PRIMARY KEY (league, competitor_id)
);
COMMENT ON TABLE competitor IS 'One row a competitor (a team or a player) of a league.';
COMMENT ON COLUMN competitor.league IS 'League the competitor belongs to.';
COMMENT ON COLUMN competitor.competitor_id IS 'namespace:source_id, for example "fifa:Spain"; stable, scoped to its league. Names are never keys.';
COMMENT ON COLUMN competitor.kind IS 'team or player.';
COMMENT ON COLUMN competitor.name IS 'Name shown to people, as the source last wrote it.';
COMMENT ON COLUMN competitor.entity_id IS 'Links one competitor across leagues; NULL where nobody has said so.';

CREATE TABLE alias (
    league VARCHAR NOT NULL,
    alias VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    valid_from DATE,
    valid_to DATE,
    PRIMARY KEY (league, alias, competitor_id)
);
COMMENT ON TABLE alias IS 'One row another name (former name, other spelling) of a competitor.';
COMMENT ON COLUMN alias.league IS 'League of the competitor.';
COMMENT ON COLUMN alias.alias IS 'The other name.';
COMMENT ON COLUMN alias.competitor_id IS 'Whose name it is or was.';
COMMENT ON COLUMN alias.valid_from IS 'First day the name was in use; NULL: unknown or always.';
COMMENT ON COLUMN alias.valid_to IS 'Last day the name was in use; NULL: unknown or still.';

CREATE TABLE membership (
    league VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    season VARCHAR NOT NULL,
    grouping VARCHAR NOT NULL,
    "group" VARCHAR NOT NULL,
    PRIMARY KEY (league, competitor_id, season, grouping)
);
COMMENT ON TABLE membership IS 'One row a competitor''s membership of a group (a division, a confederation, a position) in a season.';
COMMENT ON COLUMN membership.league IS 'League of the competitor.';
COMMENT ON COLUMN membership.competitor_id IS 'The member.';
COMMENT ON COLUMN membership.season IS 'Season of the membership.';
COMMENT ON COLUMN membership.grouping IS 'What kind of group it is, for example division.';
COMMENT ON COLUMN membership."group" IS 'The group, for example "First Division".';

-- The three large tables of results have no primary keys: with them, loading 852,684 tennis matches took 21.6 s instead of
-- 16.7 s and the file was 419 MB instead of 69 MB. That a game, a side or an appearance stands there once is held by the loader:
-- `ingest` validates its frames' keys, and a load fails where a game came in twice.
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

CREATE TABLE appearance (
    league VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    side SMALLINT NOT NULL,
    player VARCHAR NOT NULL,
    share DOUBLE NOT NULL CHECK (share > 0 AND share <= 1),
    role VARCHAR
);
COMMENT ON TABLE appearance IS 'One row a player''s appearance on a side.';
COMMENT ON COLUMN appearance.league IS 'League of the game.';
COMMENT ON COLUMN appearance.game_id IS 'The game.';
COMMENT ON COLUMN appearance.side IS 'The side in that game.';
COMMENT ON COLUMN appearance.player IS 'competitor_id of the player.';
COMMENT ON COLUMN appearance.share IS 'Fraction of that game or stint played, above 0 to 1.';
COMMENT ON COLUMN appearance.role IS 'Position or role, as the source names it.';

CREATE TABLE truth (
    league VARCHAR NOT NULL,
    competitor_id VARCHAR NOT NULL,
    component VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    PRIMARY KEY (league, competitor_id, component)
);
COMMENT ON TABLE truth IS 'One row a true strength of a competitor, known only in simulated leagues.';
COMMENT ON COLUMN truth.league IS 'A simulated league.';
COMMENT ON COLUMN truth.competitor_id IS 'The competitor.';
COMMENT ON COLUMN truth.component IS 'total, attack or defence, in the unit of the league''s ratings before the reference is subtracted.';
COMMENT ON COLUMN truth.value IS 'The strength the simulator used.';

CREATE TABLE load (
    load_id VARCHAR PRIMARY KEY,
    league VARCHAR NOT NULL,
    slice VARCHAR NOT NULL,
    loaded_at_utc TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    etag VARCHAR,
    fetched_at_utc TIMESTAMP NOT NULL,
    loader VARCHAR NOT NULL,
    rows_read INTEGER NOT NULL,
    games_new INTEGER NOT NULL,
    games_changed INTEGER NOT NULL,
    games_gone INTEGER NOT NULL,
    games_unchanged INTEGER NOT NULL,
    rows_rejected INTEGER NOT NULL
);
COMMENT ON TABLE load IS 'One row a load of a slice: which bytes, and what they changed. Unchanged bytes make no row.';
COMMENT ON COLUMN load.load_id IS 'Key of the load.';
COMMENT ON COLUMN load.league IS 'League loaded.';
COMMENT ON COLUMN load.slice IS 'Slice of the league that was replaced, usually one file.';
COMMENT ON COLUMN load.loaded_at_utc IS 'When the load was committed, UTC.';
COMMENT ON COLUMN load.source IS 'URL or path the bytes came from.';
COMMENT ON COLUMN load.sha256 IS 'SHA-256 of the raw bytes; with companion files, of the hashes of all; empty where the file is gone.';
COMMENT ON COLUMN load.etag IS 'ETag the server gave with the bytes; NULL for files.';
COMMENT ON COLUMN load.fetched_at_utc IS 'When the bytes were fetched, UTC.';
COMMENT ON COLUMN load.loader IS 'Hash of the code that read the bytes; another loader reads the same bytes again.';
COMMENT ON COLUMN load.rows_read IS 'Data rows in the file and in the files read along with it.';
COMMENT ON COLUMN load.games_new IS 'Games that were not there before.';
COMMENT ON COLUMN load.games_changed IS 'Games there before whose content differs.';
COMMENT ON COLUMN load.games_gone IS 'Games there before that the file no longer holds.';
COMMENT ON COLUMN load.games_unchanged IS 'Games there before with the same content.';
COMMENT ON COLUMN load.rows_rejected IS 'Rows put into rejected_row, of the file and of the files read along with it.';

CREATE TABLE loaded_file (
    league VARCHAR NOT NULL,
    slice VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    fetched_at_utc TIMESTAMP NOT NULL
);
COMMENT ON TABLE loaded_file IS 'One row a file that a loaded slice was read from: the file of results, and those read along with it. What stands in when a source cannot be had.';
COMMENT ON COLUMN loaded_file.league IS 'League loaded.';
COMMENT ON COLUMN loaded_file.slice IS 'Slice of the league.';
COMMENT ON COLUMN loaded_file.file IS 'Name of the file in the league.';
COMMENT ON COLUMN loaded_file.source IS 'URL or path it was fetched from.';
COMMENT ON COLUMN loaded_file.sha256 IS 'SHA-256 of its bytes.';
COMMENT ON COLUMN loaded_file.fetched_at_utc IS 'When its bytes were fetched, UTC.';

CREATE TABLE game_change (
    league VARCHAR NOT NULL,
    load_id VARCHAR NOT NULL,
    game_id VARCHAR NOT NULL,
    change VARCHAR NOT NULL CHECK (change IN ('changed', 'gone')),
    description VARCHAR NOT NULL
);
COMMENT ON TABLE game_change IS 'One row a game that a load changed or took away: what a source corrected. New games are only counted (load.games_new), so a first load lists nothing; of one pull at most 1,000 games are listed, and loads of the last year.';
COMMENT ON COLUMN game_change.league IS 'League of the game.';
COMMENT ON COLUMN game_change.load_id IS 'The load that changed it.';
COMMENT ON COLUMN game_change.game_id IS 'The game.';
COMMENT ON COLUMN game_change.change IS 'changed, or gone.';
COMMENT ON COLUMN game_change.description IS 'The game as it was and, where it changed, what became of it.';

CREATE TABLE rejected_row (
    load_id VARCHAR NOT NULL,
    league VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    line INTEGER NOT NULL,
    rule VARCHAR NOT NULL,
    raw VARCHAR NOT NULL
);
COMMENT ON TABLE rejected_row IS 'One row a source row that broke a rule and was kept out of the ratings.';
COMMENT ON COLUMN rejected_row.load_id IS 'The load that met it.';
COMMENT ON COLUMN rejected_row.league IS 'League of the load.';
COMMENT ON COLUMN rejected_row.feed IS 'Feed that read it.';
COMMENT ON COLUMN rejected_row.file IS 'Name of the file it is in.';
COMMENT ON COLUMN rejected_row.line IS 'Line in the file, from 1, the header counted.';
COMMENT ON COLUMN rejected_row.rule IS 'Rule it broke.';
COMMENT ON COLUMN rejected_row.raw IS 'The row as it stands in the file.';

CREATE TABLE finding (
    league VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    severity VARCHAR NOT NULL CHECK (severity IN ('stop', 'warn')),
    subject VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    found_at_utc TIMESTAMP NOT NULL
);
COMMENT ON TABLE finding IS 'One row an offending thing that a data check found in the last run of that league''s checks.';
COMMENT ON COLUMN finding.league IS 'League checked.';
COMMENT ON COLUMN finding.check_name IS 'Name of the check: its file under ingest/checks.';
COMMENT ON COLUMN finding.severity IS 'stop: the league is not fitted until it is mended. warn: shown.';
COMMENT ON COLUMN finding.subject IS 'What offends: a game, a competitor, a day.';
COMMENT ON COLUMN finding.message IS 'What is wrong with it, in words.';
COMMENT ON COLUMN finding.found_at_utc IS 'When it was found, UTC.';
