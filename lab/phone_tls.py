"""The doors by which phones fetch over TLS: one for all, one for those that show a certificate of their own, and one
that plays the makers' redirect services.

Who may show one: what the lab's own authority has signed (`Certificates.phone_certificate`), and what the makers'
authorities have whose certificates lie in `tls/phones/*.pem`. What it opens is for `respond` to say: its name must be
the MAC that is asked for.
"""

from __future__ import annotations

import ssl
import tempfile
from datetime import datetime
from pathlib import Path

from lab.certificates import Certificates
from provisioning_server.redirects import shipped_redirects

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
PHONES = "phones"
REDIRECT = "redirect"


class PhoneTls:
    """Owns the contexts of both doors. They stay the same objects while a server listens with them."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self.for_all = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.with_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.with_certificate.verify_mode = ssl.CERT_REQUIRED
        self.with_certificate.load_verify_locations(str(certificates.ca_file))
        self.problems = self._trust_makers(certificates.folder / PHONES)
        """What lies among the makers' authorities and is none."""
        self.refresh()
        self.allow("1.2")

    def refresh(self) -> None:
        """Show the server's certificate as it is now: connections from here on get it."""
        shown = self._certificates.folder / "server.pem"
        for context in (self.for_all, self.with_certificate):
            context.load_cert_chain(shown, shown.with_suffix(".key"))

    def as_makers(self, now: datetime) -> ssl.SSLContext:
        """For who plays the makers' redirect services: called by their names, a phone may show its certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(str(self._certificates.ca_file))
        shown = self._certificates.server_certificate(REDIRECT, sorted(shipped_redirects().by_host), now)
        context.load_cert_chain(shown, shown.with_suffix(".key"))
        return context

    def allow(self, version: str) -> None:
        """Take connections from this version of TLS on; what is before 1.2 needs weak ciphers, and gets them."""
        for context in (self.for_all, self.with_certificate):
            context.minimum_version = VERSIONS[version]
            context.set_ciphers("DEFAULT@SECLEVEL=0" if version in ("1.0", "1.1") else "DEFAULT")

    def _trust_makers(self, folder: Path) -> tuple[str, ...]:
        wrong = []
        for path in sorted(folder.glob("*.pem")):
            try:
                self.with_certificate.load_verify_locations(str(path))
            except (OSError, ssl.SSLError) as error:
                wrong.append(f"{path} holds no certificate of an authority: {error}")
        return tuple(wrong)


class FactoryTls:
    """What the lab's own phones trust, and the certificates their makers have put in: made when they are first shown.

    Called with the name to show, empty for none.
    """

    def __init__(self, certificates: Certificates, now: datetime) -> None:
        self._certificates, self._now = certificates, now
        self._contexts: dict[str, ssl.SSLContext] = {}

    def __call__(self, name: str) -> ssl.SSLContext:
        found = self._contexts.get(name)
        if found is None:
            found = self._contexts[name] = ssl.create_default_context(cafile=str(self._certificates.ca_file))
            if name:
                with tempfile.NamedTemporaryFile(suffix=".pem") as file:
                    file.write(self._certificates.phone_certificate(name, self._now))
                    file.flush()
                    found.load_cert_chain(file.name)
        return found
