-- What people were told of an incident, by each way of telling them: one that failed is tried again by itself. Of what
-- was told before, nobody knows which way it went: it went every way there is.

CREATE TABLE telling (
    number INTEGER NOT NULL REFERENCES incident,
    channel TEXT NOT NULL,
    is_over INTEGER NOT NULL,
    at_utc TEXT NOT NULL,
    PRIMARY KEY (number, channel, is_over)
);
INSERT INTO telling
SELECT number, channel, 0, told_at_utc
FROM incident, (SELECT 'webhook' AS channel UNION ALL SELECT 'command') WHERE told_at_utc IS NOT NULL;
INSERT INTO telling
SELECT number, channel, 1, told_over_at_utc
FROM incident, (SELECT 'webhook' AS channel UNION ALL SELECT 'command') WHERE told_over_at_utc IS NOT NULL;
ALTER TABLE incident DROP COLUMN told_at_utc;
ALTER TABLE incident DROP COLUMN told_over_at_utc;
