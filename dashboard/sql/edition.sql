-- The edition that answers: its name and when it was published.
SELECT edition_id, published_at_utc FROM edition
