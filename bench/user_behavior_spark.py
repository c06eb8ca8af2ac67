"""The two Spark jobs that the example replaces, as they were written: tokenise reviews, then join and aggregate."""

import sys

from pyspark.ml.feature import RegexTokenizer, StopWordsRemover
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

folder = sys.argv[1]
spark = SparkSession.builder.master("local[2]").appName("user_behavior").config("spark.ui.enabled", "false").config("spark.driver.memory", "2g").getOrCreate()

reviews = spark.read.option("header", True).csv(f"{folder}/movie_review.csv").na.drop(subset=["review_str"])
words = RegexTokenizer(inputCol="review_str", outputCol="words", pattern="\\W").transform(reviews)
words = StopWordsRemover(inputCol="words", outputCol="tokens").transform(words)
tokens = words.select("cid", f.array_contains(f.col("tokens"), "good").cast("int").alias("positive_review"))
tokens.write.mode("overwrite").parquet(f"{folder}/out/reviews")

purchases = spark.read.option("header", True).csv(
    f"{folder}/user_purchase.csv", schema="invoice_number string, stock_code string, detail string, quantity int, invoice_date timestamp, "
                                          "unit_price float, customer_id int, country string")
spent = purchases.withColumn("amount_spent", f.col("quantity") * f.col("unit_price")).groupBy("customer_id").agg(
    f.sum("amount_spent").alias("amount_spent"))
reviewed = spark.read.parquet(f"{folder}/out/reviews").groupBy("cid").agg(
    f.sum("positive_review").alias("review_score"), f.count("cid").alias("review_count"))
joined = spent.join(reviewed, spent.customer_id == f.expr("try_cast(cid AS int)"), "outer")
joined.select("customer_id", "amount_spent", "review_score", "review_count", f.current_timestamp().alias("insert_date")).write.mode(
    "overwrite").parquet(f"{folder}/out/user_behavior")
