-- Of each league, and of no league (publishing), the newest step of each command in runs that have ended: a pull between
-- nights does not hide how the last fit ended. The newest is the one that was written last: by the clock, a night while
-- it was ahead would be the newest until it is that late. Where words are given, steps that ended with them do not count.
WITH ended AS (
    SELECT step.*, step.rowid AS place, row_number() OVER (
        PARTITION BY step.league, substr(step.command || ' ', 1, instr(step.command || ' ', ' '))
        ORDER BY step.rowid DESC
    ) AS age
    FROM step JOIN run USING (run_id) WHERE run.state <> 'running' AND (? = '' OR step.message NOT LIKE '%' || ?)
)
SELECT league, command, state, message, started_at_utc, ended_at_utc FROM ended WHERE age = 1 ORDER BY league, place
