-- How an incident came to be over, where there is more to say than that all is well again.

ALTER TABLE incident ADD COLUMN ended_message TEXT NOT NULL DEFAULT '';
