-- What is wrong now, where it is no longer what an incident began with.

ALTER TABLE incident ADD COLUMN latest_message TEXT NOT NULL DEFAULT '';
