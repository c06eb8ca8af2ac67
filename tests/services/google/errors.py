"""What the API and its jobs fail with."""


class ApiError(Exception):
    """Becomes an HTTP error in the shape of Google's APIs."""

    STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
              412: "FAILED_PRECONDITION", 413: "INVALID_ARGUMENT"}

    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def body(self):
        error = {"code": self.code, "message": self.message, "status": self.STATUS.get(self.code, "INTERNAL"),
                 "errors": [{"message": self.message, "domain": "global", "reason": self.reason}]}
        return {"error": error}


class Failed(Exception):
    """A job's errorResult."""

    def __init__(self, reason, message, more=()):
        """`more`: what the job's errors list beyond its errorResult."""
        super().__init__(message)
        self.reason, self.message, self.more = reason, message, list(more)


def not_found(kind, name):
    return ApiError(404, "notFound", f"Not found: {kind} {name}")


def exists(kind, name):
    return ApiError(409, "duplicate", f"Already Exists: {kind} {name}")


def invalid(message, reason="invalid"):
    return ApiError(400, reason, message)
