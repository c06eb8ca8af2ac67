-- As user_behavior.sql, with prices as the Spark job read them: 32-bit floats, whose sums are off. Only to compare with
-- tables that it wrote.
WITH spent AS (
  SELECT customer_id, sum(quantity * CAST(unit_price AS float)) AS amount_spent
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
