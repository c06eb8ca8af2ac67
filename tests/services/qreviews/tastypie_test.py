"""The same requests to the Q-Reviews server and to tastypie itself, which must answer alike."""

import json
import logging
import pathlib
import sys
import tempfile
import unittest

import django
import requests
from django.conf import settings

settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, ALLOWED_HOSTS=["*"],
                   INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "tastypie"], ROOT_URLCONF=__name__,
                   TASTYPIE_ALLOW_MISSING_SLASH=True,  # as in the vendor's addresses
                   DEFAULT_AUTO_FIELD="django.db.models.AutoField", LOGGING_CONFIG=None)
django.setup()
logging.disable(logging.ERROR)  # each refusal is wanted here

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import include, path  # noqa: E402
from tastypie.api import Api  # noqa: E402
from tastypie.authentication import ApiKeyAuthentication  # noqa: E402
from tastypie.models import ApiKey  # noqa: E402
from tastypie.resources import ModelResource  # noqa: E402
from tastypie.throttle import BaseThrottle  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "systems"))

from harness import Server  # noqa: E402

RECORDS = 1100
PATH = "/api/client/v2/response"
KEY = {"Authorization": "ApiKey demo-sid:demo-key"}
PAGES = ["", "limit=5", "limit=0", "limit=1000", "limit=1001", "limit=5&offset=5", "limit=5&offset=7", "offset=1095", "offset=1100",
         "offset=5000&limit=3", "limit=550&offset=550", "sequence__gt=7", "sequence__gt=7&limit=2&order_by=sequence",
         "order_by=-sequence&limit=3", "order_by=-sequence&sequence__gt=1000&limit=500", "sequence__gt=100000", "sequence__gt=-1&limit=1",
         "limit=1&offset=1&order_by=sequence", "unknown=1&limit=2&offset=2", "limit=7&limit=3", "unknown__gt=1", "unknown="]
REFUSED = ["limit=x", "limit=-1", "limit=1.5", "limit=", "limit=%3Cb%3E'\"", "offset=x", "offset=-1", "order_by=id", "order_by=-id",
           "order_by=", "order_by=none", "sequence__gt=x", "sequence__gt=1.5", "sequence__gt=", "sequence__lt=5",
           "sequence=5", "id__gt=5", "sequence__gt__lt=1"]


class Response(models.Model):
    id = models.IntegerField(primary_key=True)
    sequence = models.BigIntegerField()

    class Meta:
        app_label = "tests"


class Throttle(BaseThrottle):
    on = False

    def should_be_throttled(self, identifier, **kwargs):
        return 1 if self.on else False


class ResponseResource(ModelResource):
    fails = False

    class Meta:
        queryset = Response.objects.order_by("sequence")
        resource_name = "response"
        allowed_methods = ["get"]
        filtering = {"sequence": ["gt"]}
        ordering = ["sequence"]
        include_resource_uri = False
        authentication = ApiKeyAuthentication()
        throttle = Throttle()

    def get_object_list(self, request):
        if self.fails:
            raise RuntimeError("a fault of its own")
        return super().get_object_list(request)


api = Api(api_name="v2")
api.register(ResponseResource())
urlpatterns = [path("api/client/", include(api.urls))]


class TastypieTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.server = Server("qreviews/server.py", folder, "--records", RECORDS)
        cls.addClassCleanup(cls.server.stop)
        cls.session = requests.Session()
        cls.addClassCleanup(cls.session.close)
        call_command("migrate", verbosity=0)
        with connection.schema_editor() as editor:
            editor.create_model(Response)
        ApiKey.objects.create(user=User.objects.create_user("demo-sid"), key="demo-key")
        records = [r for limit in (0, 1000) for r in cls.session.get(cls.server.url + PATH, params={"limit": 0, "offset": limit},
                                                                    headers=KEY).json()["objects"]]
        Response.objects.bulk_create(Response(id=r["id"], sequence=r["sequence"]) for r in records)

    def answers(self, query="", headers=(), method="GET"):
        """Status, kind and body, of the server and of tastypie."""
        url = f"{PATH}?{query}" if query else PATH
        ours = self.session.request(method, self.server.url + url, headers=dict(headers))
        theirs = Client(raise_request_exception=False, headers=dict(headers), SERVER_NAME="survey").generic(method, url)
        interesting = ("Content-Type", "Retry-After", "Allow")
        return [(answer.status_code, {name: answer.headers.get(name) for name in interesting}, shortened(answer.content))
                for answer in (ours, theirs)]

    def assert_same(self, *arguments, status=200, **options):
        ours, theirs = self.answers(*arguments, **options)
        self.assertEqual(theirs[0], status)
        self.assertEqual(ours, theirs)

    def test_pages_limits_and_links_are_the_same(self):
        for query in PAGES:
            with self.subTest(query):
                self.assert_same(query, KEY)

    def test_refusals_are_the_same(self):
        for query in REFUSED:
            with self.subTest(query):
                self.assert_same(query, KEY, status=400)

    def test_keys_are_taken_and_refused_the_same_way(self):
        for text in ("ApiKey demo-sid:wrong", "ApiKey other:demo-key", "Basic demo-sid:demo-key", "ApiKey demo-sid", "demo-sid:demo-key"):
            with self.subTest(text):
                self.assert_same("limit=1", {"Authorization": text}, status=401)
        self.assert_same("limit=1", status=401)
        self.assert_same("limit=1&username=demo-sid&api_key=wrong", status=401)
        self.assert_same("limit=0", {"Authorization": "apikey demo-sid:demo-key"})
        self.assert_same("limit=2&username=demo-sid&api_key=demo-key")

    def test_other_methods_are_refused_the_same_way(self):
        self.assert_same("", KEY, "POST", status=405)

    def test_too_many_requests_and_server_faults_look_the_same(self):
        self.addCleanup(setattr, ResponseResource, "fails", False)
        self.addCleanup(setattr, Throttle, "on", False)
        for status, owner, switch in ((429, Throttle, "on"), (500, ResponseResource, "fails")):
            with self.subTest(status):
                self.server.post("/_control/faults", [{"action": "status", "status": status}])
                setattr(owner, switch, True)
                self.assert_same("limit=1", KEY, status=status)
                setattr(owner, switch, False)


def shortened(content):
    """Of records only id and sequence, which both have."""
    try:
        body = json.loads(content)
    except ValueError:
        return content
    if "objects" in body:
        body["objects"] = [(record["id"], record["sequence"]) for record in body["objects"]]
    return body


if __name__ == "__main__":
    unittest.main(verbosity=2)
