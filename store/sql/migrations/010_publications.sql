-- Which fits reached readers, and when: what was said then is history, whatever is fitted later.

CREATE TABLE publication (
    fit_id VARCHAR PRIMARY KEY,
    league VARCHAR NOT NULL,
    edition_id VARCHAR,
    published_at_utc TIMESTAMP NOT NULL
);
COMMENT ON TABLE publication IS 'One row a fit that was published: the first edition it was in. Rows are only ever added.';
COMMENT ON COLUMN publication.fit_id IS 'The fit.';
COMMENT ON COLUMN publication.league IS 'League of the fit.';
COMMENT ON COLUMN publication.edition_id IS 'Name of the edition; NULL where the fit was made before publications were written down.';
COMMENT ON COLUMN publication.published_at_utc IS 'When it was published, UTC; where the edition is not known, when the fit was made.';

INSERT INTO publication
SELECT fit_id, league, NULL, fitted_at_utc FROM fit WHERE verdict = 'accepted' AND NOT is_dated;
