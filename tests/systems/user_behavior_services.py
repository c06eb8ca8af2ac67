"""What examples/user_behavior runs on where there is no cloud: PostgreSQL, and the test servers of Cloud Storage and BigQuery."""

import json

from postgres_server import PASSWORD, Postgres
from server_process import Server

STAGES = ("1_csv_to_postgres", "2_postgres_to_bucket", "3_reviews", "4_user_behavior", "5_to_bigquery")
RAW, STAGING = "raw", "staging"  # buckets


class Services:
    """`environment` and `settings` are what the pipelines need of them."""

    def __init__(self, folder):
        self.postgres, self.gcs, self.bq = Postgres(), Server("gcs/server.py", folder), Server("bigquery/server.py", folder)
        self.reset()
        self.environment = {"PATCHBAY_SECRET_POSTGRES_PASSWORD": PASSWORD}
        for name, server in (("GCS", self.gcs), ("BIGQUERY", self.bq)):
            self.environment[f"PATCHBAY_SECRET_{name}_CREDENTIALS"] = json.dumps(server.get("/_control/credentials"))
        self.settings = {"raw": RAW, "staging": STAGING, "storage": self.gcs.url, "postgres": self.postgres.uri,
                         "bigquery": self.bq.url, "project": "demo"}

    def reset(self):
        """Two empty buckets, no tables."""
        self.postgres.sql("DROP SCHEMA IF EXISTS bootcampdb CASCADE")
        self.gcs.post("/_control/reset", None)
        self.bq.post("/_control/reset", None)
        self.gcs.post("/_control/buckets", [RAW, STAGING])

    def put(self, name, text):
        self.gcs.post("/_control/objects", {"bucket": RAW, "name": name, "text": text})

    def arguments(self, file, **settings):
        """--set for each variable that the file has."""
        text = file.read_text()
        chosen = {key: value for key, value in {**self.settings, **settings}.items() if f"\n  {key}:" in text}
        return [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]

    def metric(self):
        return self.bq.get("/_control/tables/demo/bootcamp/user_behavior_metric")

    def stop(self):
        self.gcs.stop()
        self.bq.stop()
        self.postgres.remove()
