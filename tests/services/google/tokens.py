"""A service account of a server's own, and the access tokens that it gives for that account's JWTs."""

import base64
import hashlib
import json
import subprocess
import time
import uuid

from errors import ApiError

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"  # whatever the token_uri
EXPONENT = 65537
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, 9.2
LONGEST = 3600
CLOUD = "https://www.googleapis.com/auth/cloud-platform"


def openssl(*arguments, given=""):
    done = subprocess.run(["openssl", *arguments], check=True, capture_output=True, input=given.encode())
    return done.stdout.decode()


def is_signed(modulus, text, signature):
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    size = (modulus.bit_length() + 7) // 8
    end = b"\x00" + SHA256_INFO + hashlib.sha256(text).digest()
    wanted = b"\x00\x01".ljust(size - len(end), b"\xff") + end
    return pow(int.from_bytes(signature, "big"), EXPONENT, modulus).to_bytes(size, "big") == wanted


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def refused(why):
    return ApiError(400, "invalid_grant", why)


class Tokens:
    def __init__(self, port):
        key = openssl("genpkey", "-algorithm", "RSA")
        self.modulus = int(openssl("rsa", "-noout", "-modulus", given=key).strip().removeprefix("Modulus="), 16)
        self.account = {"type": "service_account", "project_id": "demo", "private_key_id": "k1", "private_key": key,
                        "client_email": "demo@demo.iam.gserviceaccount.com", "client_id": "1",
                        "token_uri": f"http://127.0.0.1:{port}/token"}
        self.given, self.lifetime = {}, LONGEST

    def grant(self, form):
        kind, scope = form.get("grant_type"), form.get("scope", CLOUD)
        if kind == "refresh_token" and form.get("refresh_token") != "demo-refresh":
            raise refused("Token has been expired or revoked.")
        if kind == JWT_BEARER:
            scope = self.verify(form.get("assertion", ""))
        elif kind != "refresh_token":
            raise ApiError(400, "unsupported_grant_type", "Invalid grant_type")
        token = "ya29." + uuid.uuid4().hex
        self.given[token] = (time.time() + self.lifetime, scope.split())
        return {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}

    def verify(self, jwt):
        """The scope that the JWT asks for."""
        try:
            head, payload, signature = jwt.split(".")
            algorithm, claims = json.loads(decoded(head))["alg"], json.loads(decoded(payload))
            signed = algorithm == "RS256" and is_signed(self.modulus, f"{head}.{payload}".encode(), decoded(signature))
            life, left = claims["exp"] - claims["iat"], claims["exp"] - time.time()
        except (ValueError, KeyError, TypeError):
            raise refused("Invalid JWT") from None
        if not signed or claims.get("iss") != self.account["client_email"]:
            raise refused("Invalid JWT Signature.")
        if claims.get("aud") not in (AUDIENCE, self.account["token_uri"]):
            raise refused("Invalid JWT: wrong audience")
        if life > LONGEST or left < 0 or not claims.get("scope"):
            raise refused("Invalid JWT: Token must be a short-lived token and in a reasonable timeframe")
        return claims["scope"]

    def renew(self, lifetime):
        """The tokens given so far are void, the next ones live so long."""
        self.given.clear()
        self.lifetime = lifetime

    def check(self, header):
        """The scopes of the token that the header carries."""
        end, scopes = self.given.get((header or "").removeprefix("Bearer "), (0, []))
        if end < time.time():
            raise ApiError(401, "authError", "Request had invalid authentication credentials.")
        return scopes
