-- Copies the draws of the published fits from their Parquet files.

INSERT INTO rating_draw
SELECT
    league, d.kind, competitor_id, c.name, component,
    list_slice(draws, 1, len(draws), greatest(1, len(draws) // getvariable('draws_kept')::BIGINT)),
    list_slice(ranks, 1, len(ranks), greatest(1, len(ranks) // getvariable('draws_kept')::BIGINT))
FROM read_parquet(getvariable('draw_files')::VARCHAR[]) AS d
LEFT JOIN competitor AS c USING (league, competitor_id)
WHERE parameter IS NULL AND component IN ('total', 'attack', 'defence')
ORDER BY league, d.kind, competitor_id, component;

INSERT INTO parameter_draw
SELECT
    league, parameter,
    list_slice(draws, 1, len(draws), greatest(1, len(draws) // getvariable('draws_kept')::BIGINT))
FROM read_parquet(getvariable('draw_files')::VARCHAR[])
WHERE parameter IS NOT NULL
ORDER BY league, parameter;

-- Macros look competitors up one at a time: without an index each look-up reads every competitor's name.
CREATE INDEX rating_draw_by_competitor ON rating_draw (competitor_id);
