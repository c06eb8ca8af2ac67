"""Datasets, tables and schemas, through Google's client library."""

import datetime

from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud.bigquery import Dataset, SchemaField, Table, TimePartitioning

from official_client import OfficialClientTest, main


class DatasetsTest(OfficialClientTest):
    def test_a_dataset_that_is_made_is_found_and_listed(self):
        dataset = Dataset("demo.made")
        dataset.location, dataset.description, dataset.labels = "EU", "surveys", {"team": "a"}
        self.client.create_dataset(dataset)
        found = self.client.get_dataset("made")
        self.assertEqual((found.location, found.description, found.labels), ("EU", "surveys", {"team": "a"}))
        self.assertLess(abs(found.created - datetime.datetime.now(datetime.timezone.utc)), datetime.timedelta(minutes=1))
        self.assertEqual([d.dataset_id for d in self.client.list_datasets(page_size=1)], ["d", "made"])

    def test_a_second_one_of_the_name_is_a_conflict(self):
        self.assert_refused(Conflict, "duplicate", self.client.create_dataset, "d")
        self.assertEqual(self.client.create_dataset("d", exists_ok=True).dataset_id, "d")

    def test_one_that_is_missing_is_not_found(self):
        for action in (self.client.get_dataset, self.client.delete_dataset):
            self.assert_refused(NotFound, "notFound", action, "none")
        self.client.delete_dataset("none", not_found_ok=True)

    def test_one_with_tables_goes_only_with_its_contents(self):
        self.make()
        self.assert_refused(BadRequest, "resourceInUse", self.client.delete_dataset, "d")
        self.client.delete_dataset("d", delete_contents=True)
        self.assertEqual(list(self.client.list_datasets()), [])
        self.client.create_dataset("d")
        self.assertEqual(list(self.client.list_tables("d")), [])

    def test_an_update_needs_the_latest_etag(self):
        stale, dataset = self.client.get_dataset("d"), self.client.get_dataset("d")
        dataset.description = stale.description = "new"
        self.assertEqual(self.client.update_dataset(dataset, ["description"]).description, "new")
        self.assert_refused(PreconditionFailed, "conditionNotMet", self.client.update_dataset, stale, ["description"])

    def test_a_bad_name_is_refused(self):
        self.assert_refused(BadRequest, "invalid", self.client.create_dataset, "no-dashes")


class TablesTest(OfficialClientTest):
    def test_a_table_that_is_made_is_found_as_it_was_asked_for(self):
        table = Table("demo.d.t", [SchemaField("at", "TIMESTAMP"), SchemaField("n", "INT64", "REQUIRED", description="a number")])
        table.time_partitioning, table.clustering_fields = TimePartitioning(field="at"), ["n"]
        table.description, table.labels = "answers", {"team": "a"}
        self.client.create_table(table)
        found = self.client.get_table("d.t")
        self.assertEqual((found.description, found.labels, found.clustering_fields), ("answers", {"team": "a"}, ["n"]))
        self.assertEqual((found.time_partitioning.field, found.num_rows, found.table_type), ("at", 0, "TABLE"))
        self.assertEqual([(f.name, f.field_type, f.mode, f.description) for f in found.schema],
                         [("at", "TIMESTAMP", "NULLABLE", None), ("n", "INTEGER", "REQUIRED", "a number")])

    def test_types_are_answered_under_their_legacy_names(self):
        names = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "DECIMAL": "NUMERIC", "BIGDECIMAL": "BIGNUMERIC"}
        table = self.make(fields=[{"name": name, "type": name} for name in names])
        self.assertEqual({f.name: f.field_type for f in table.schema}, names)

    def test_a_second_one_of_the_name_is_a_conflict(self):
        table = self.make()
        self.assert_refused(Conflict, "duplicate", self.client.create_table, Table("demo.d.t"))
        self.assertEqual(self.client.create_table(table, exists_ok=True).schema, table.schema)

    def test_what_is_missing_is_not_found(self):
        for action, name in ((self.client.get_table, "d.none"), (self.client.delete_table, "d.none"), (self.client.get_table, "none.t"),
                             (self.client.create_table, "none.t"), (self.client.list_rows, "d.none")):
            with self.subTest(action.__name__, name=name):
                self.assert_refused(NotFound, "notFound", action, f"demo.{name}")
        self.client.delete_table("d.none", not_found_ok=True)

    def test_a_deleted_table_is_gone(self):
        self.make()
        self.client.delete_table("d.t")
        self.assert_refused(NotFound, "notFound", self.client.get_table, "d.t")

    def test_tables_are_listed_page_by_page(self):
        for name in "abcde":
            self.make(name)
        pages = [[table.table_id for table in page] for page in self.client.list_tables("d", page_size=2).pages]
        self.assertEqual(pages, [["a", "b"], ["c", "d"], ["e"]])

    def test_an_expired_table_is_gone(self):
        table = Table("demo.d.t", [SchemaField("id", "INT64")])
        table.expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.assertLess(abs(self.client.create_table(table).expires - table.expires), datetime.timedelta(milliseconds=1))
        self.server.post("/_control/clock", {"seconds": 3700})
        self.assertEqual(list(self.client.list_tables("d")), [])
        self.assert_refused(NotFound, "notFound", self.client.get_table, "d.t")

    def test_bad_names_types_and_schemas_are_refused(self):
        record = {"name": "r", "type": "RECORD", "fields": []}
        for what, name, fields in (("table", "a.b", None), ("column", "t", [{"name": "a b", "type": "INT64"}]),
                                   ("reserved", "t", [{"name": "_table_x", "type": "INT64"}]),
                                   ("type", "t", [{"name": "a", "type": "INT65"}]), ("record", "t", [record]),
                                   ("twice", "t", [{"name": "a", "type": "INT64"}, {"name": "A", "type": "INT64"}])):
            with self.subTest(what):
                body = {"tableReference": {"projectId": "demo", "datasetId": "d", "tableId": name}, "schema": {"fields": fields or []}}
                self.assert_refused(BadRequest, "invalid", self.client.create_table, Table.from_api_repr(body))


class SchemasTest(OfficialClientTest):
    def update(self, change):
        table = self.client.get_table("d.t")
        table.schema = change(list(table.schema))
        return self.client.update_table(table, ["schema"], retry=None)

    def test_columns_are_added_and_rows_that_were_there_have_null(self):
        self.make(fields=[{"name": "id", "type": "INT64"}, {"name": "r", "type": "RECORD", "fields": [{"name": "a", "type": "INT64"}]}])
        self.insert({"id": 1, "r": {"a": 2}})
        record = SchemaField("r", "RECORD", fields=[SchemaField("a", "INT64"), SchemaField("b", "STRING", "REPEATED")])
        self.update(lambda schema: [schema[0], record, SchemaField("new", "DATE")])
        self.assertEqual(self.rows(), [{"id": 1, "r": {"a": 2, "b": []}, "new": None}])

    def test_a_required_column_may_become_nullable(self):
        self.make()
        self.update(lambda schema: [SchemaField("id", "INT64"), schema[1]])
        self.assertEqual(self.insert({"id": None}), [])

    def test_other_changes_are_refused(self):
        self.make()
        for what, change in (("dropped", lambda s: s[:1]), ("type", lambda s: [s[0], SchemaField("name", "INT64")]),
                             ("required", lambda s: [s[0], SchemaField("name", "STRING", "REQUIRED")]),
                             ("repeated", lambda s: [s[0], SchemaField("name", "STRING", "REPEATED")]),
                             ("new required", lambda s: s + [SchemaField("x", "INT64", "REQUIRED")])):
            with self.subTest(what):
                self.assert_refused(BadRequest, "invalid", self.update, change)
        self.assertEqual([f.name for f in self.client.get_table("d.t").schema], ["id", "name"])

    def test_an_update_needs_the_latest_etag(self):
        stale = self.make()
        self.update(lambda schema: schema + [SchemaField("x", "INT64")])
        stale.schema = list(stale.schema) + [SchemaField("y", "INT64")]
        self.assert_refused(PreconditionFailed, "conditionNotMet", self.client.update_table, stale, ["schema"])


if __name__ == "__main__":
    main()
