-- How well each way of pooling forecast the games held out from one fit.
SELECT pooling, held_out_games, log_loss, log_loss_se, difference, difference_se
FROM pooling
WHERE league = $league AND fit_id = $fit_id
ORDER BY list_position(['partial', 'none', 'complete', 'baseline'], pooling)
