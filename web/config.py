"""What a web process must be told: `docvigil.wiring` fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.desk import DeskRules
from web.promises import Promises


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """An issuer of somebody else that signs people and machines in."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    #: What access tokens of machines must be meant for; None refuses them all.
    audience: str | None = None
    #: The claim with the roles; dots lead into objects.
    roles_claim: str = "roles"
    #: What the issuer calls our roles, where it has other names for them.
    role_names: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ("openid", "profile")
    #: Signatures that are accepted.
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    #: How long an answer of the issuer may take.
    seconds: float = 10.0


def _none(_: str) -> Promises | None:
    return None


@dataclass(frozen=True, slots=True)
class WebConfig:
    """One object for the application and its parts."""

    database_url: str
    redis_url: str
    object_store: str
    #: Where browsers find this: scheme, host, port.
    public_url: str
    object_store_endpoint: str | None = None
    timezone: str = "Asia/Kolkata"
    max_file_bytes: int = 200 * 2**20
    #: The user's own document types, beside the built-in ones.
    doctypes_folder: Path | None = None
    #: None: users sign in here.
    oidc: OidcConfig | None = None
    #: Who decides on what, and for how long a document is in one's hands.
    rules: DeskRules = field(default_factory=DeskRules)
    #: What the bound of a version promises; None where it has none.
    promises: Callable[[str], Promises | None] = _none
    #: Names of the host that requests may be addressed to; empty allows any.
    hosts: tuple[str, ...] = ()

    #: A sign-in ends after so long, and earlier when nobody was there.
    session: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=1)
    #: A token of the built-in issuer is valid for so long.
    token: timedelta = timedelta(hours=1)
    #: A link by which a secret is chosen is valid for so long.
    invitation: timedelta = timedelta(days=7)
    #: So many wrong secrets in a row lock a name for a while.
    lockout_failures: int = 5
    lockout: timedelta = timedelta(minutes=15)
    #: Attempts to sign in from one address a minute, and requests of one person to the API a minute.
    signin_rate: int = 20
    api_rate: int = 1200

    @property
    def secure(self) -> bool:
        """Whether browsers reach this by TLS; cookies are then sent over nothing else."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def origin(self) -> str:
        """The public URL without a path, as browsers name it in `Origin`."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}".lower()
