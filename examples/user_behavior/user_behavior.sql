-- What each customer spent, and how they reviewed. One row per customer; purchases without one are the row whose
-- customer_id is null, so that amount_spent adds up to all that was sold. Who never wrote a review has null, not 0.
WITH spent AS (
  SELECT customer_id, sum(quantity * unit_price) AS amount_spent
  FROM purchases
  GROUP BY customer_id
), reviewed AS (
  SELECT cid, sum(positive_review) AS review_score, count(*) AS review_count
  FROM reviews
  WHERE cid IS NOT NULL
  GROUP BY cid
)
SELECT
  coalesce(spent.customer_id, reviewed.cid) AS customer_id,
  spent.amount_spent,
  reviewed.review_score,
  reviewed.review_count,
  current_timestamp AS insert_date
FROM spent
FULL OUTER JOIN reviewed ON spent.customer_id = reviewed.cid
ORDER BY customer_id
