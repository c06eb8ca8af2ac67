"""A BigQuery server for tests and the demo: datasets, tables, insertAll, load, copy and query jobs, a token endpoint.

    python3 server.py --port 0 --port-file FILE [--counting] [--save FOLDER]

POST /_control/faults     [{"match": "regex of METHOD PATH", "skip": 0, "times": 1, "action": "status|close|lost|hang|delay|cut|partial", "status": 503,
                          "body": .., "headers": {..}}, ..]; lost = the work is done, the answer never comes;
                          partial = of an upload's chunk only 256 KiB are stored
POST /_control/jobs       {"pending_polls": 2, "failures": [{"reason": "backendError"}]}
POST /_control/tokens     {"lifetime": 1}: of tokens from now on; those given are void
POST /_control/clock      {"seconds": 61}: the server's time moves on
POST /_control/type       {"table": [P, D, T], "field": "a.b", "type": "INTEGER"}: a column of another type, as if made so
POST /_control/keep       {"table": [P, D, T], "keep": {"timePartitioning": ..}}: a table with other properties, as if made so
GET  /_control/tables     every table with its expiration;  /_control/tables/P/D/T its rows
GET  /_control/requests   the requests seen so far
POST /_control/reset      empty again
GET  /_control/credentials  service-account JSON whose tokens this server gives
"""

import pathlib
import sys
from urllib.parse import unquote

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "google")]

import api  # noqa: E402
import control  # noqa: E402
import http_service  # noqa: E402
import uploads  # noqa: E402
from catalog import Catalog  # noqa: E402
from errors import ApiError, invalid  # noqa: E402
from jobs import Jobs  # noqa: E402


class World(http_service.World):
    @staticmethod
    def add_options(parser):
        parser.add_argument("--counting", action="store_true", help="for benchmarks: load jobs count their lines and keep none")
        parser.add_argument("--save", help="a folder into which the data of load jobs is written, a file each: 1, 2, ..")

    def reset(self):
        super().reset()
        self.save, self.catalog = self.options.save, Catalog(self.options.counting)
        self.jobs = Jobs(self.catalog)
        self.uploads, self.request_ids = {}, {}

    def control(self, verb, path, data):
        if path:
            return self.catalog.table(*path).rows
        if verb in control.VERBS:
            return control.VERBS[verb](self, data)
        return super().control(verb, path, data)


def route(request):
    """(status, body, headers) of the answer."""
    try:
        if request.fault.get("action") == "partial":
            return uploads.keep_part(request)
        if request.path.startswith("/upload/session/"):
            return uploads.put(request, request.path.split("/")[-1])
        request.world.tokens.check(request.headers.get("Authorization"))
        path = [unquote(part) for part in request.path.removeprefix("/upload").removeprefix("/bigquery/v2/").split("/")]
        if request.path.startswith("/upload/") and path[0::2] == ["projects", "jobs"]:
            return uploads.begin(request, path[1])
        function, arguments = api.find(request.method, path)
        return function(request, *arguments)
    except ApiError as error:
        return error.code, error.body()
    except KeyError as error:
        return 400, invalid(f"Required parameter is missing: {error.args[0]}", "required").body()


if __name__ == "__main__":
    http_service.serve(World, route, __doc__)
