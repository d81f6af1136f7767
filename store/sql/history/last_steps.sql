-- Of each league, and of no league (publishing), the newest step of each command in runs that have ended: a pull between
-- nights does not hide how the last fit ended.
WITH ended AS (
    SELECT step.*, row_number() OVER (
        PARTITION BY step.league, substr(step.command || ' ', 1, instr(step.command || ' ', ' '))
        ORDER BY step.started_at_utc DESC, step.number DESC
    ) AS place
    FROM step JOIN run USING (run_id) WHERE run.state <> 'running'
)
SELECT league, command, state, message, started_at_utc, ended_at_utc FROM ended WHERE place = 1 ORDER BY league, started_at_utc, number
