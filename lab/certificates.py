"""The lab's own certificate authority and the certificates its servers show, kept in the data folder under `tls`.

`ca.pem` is for phones to trust; its key, readable by its owner alone, never leaves the folder. `server.pem` and
`server.key` are made by that authority and renewed in time, or are the operator's own: what another authority has
signed is left alone. `<name>.pem` beside it is shown to who asks for `<name>` (SNI). `reload` takes what lies there
now; what cannot be used is refused, and the certificates of before stay in use.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.errors import NO_START, UserError
from pbx.domain.registrations import Peer
from pbx.events import CertificateEnding, CertificateUsed, TlsRefused
from pbx.sip.streams import Security

CA_FILE = "ca.pem"
REFERENCE = "README, TLS"
_CA_DAYS = 3650
_SERVER_DAYS = 397
_RENEWED_BEFORE_DAYS = 30
_TOLD_BEFORE_DAYS = 30
_KEY_BITS = 2048
"""RSA, for the sake of handsets that know nothing else."""


class Certificates:
    """Owns what is shown and what is trusted. Opening it makes whatever is missing."""

    def __init__(self, folder: Path, names: Sequence[str], now: datetime, key_log: Path | None = None) -> None:
        """`names`: hosts and addresses phones may know this server by. UserError when what is there cannot be used.

        Every connection's secrets are added to the file `key_log`, when there is one.
        """
        self.folder = folder
        self._key_log = key_log
        self._names = tuple(dict.fromkeys(names))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ca_file = folder / CA_FILE
        self._shown, self.used = self._load(now)
        self._trusted = self._authorities()

    @property
    def security(self) -> Security:
        return Security(lambda: self._shown, lambda: self._trusted)

    def reload(self, now: datetime) -> CertificateUsed:
        """Use from now on what lies in the folder; UserError leaves everything as it was."""
        shown, used = self._load(now)
        trusted = self._authorities()
        self._shown, self.used, self._trusted = shown, used, trusted
        return used

    def phone_certificate(self, mac: str, now: datetime) -> bytes:
        """Return a certificate whose name is that MAC, as a maker puts one into a phone, with its key; PEM."""
        authority, key = self._authority(now)
        own = rsa.generate_private_key(65537, _KEY_BITS)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, mac.upper())])
        made = (
            _builder(subject, authority.subject, own, now, _SERVER_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM) + _key_text(own)

    def server_certificate(self, folder: str, names: Sequence[str], now: datetime) -> Path:
        """Return the certificate for servers of other names that the lab plays, made or renewed; its key beside it."""
        authority, key = self._authority(now)
        path = self.folder / folder / "server.pem"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._keep_fresh(path, names, authority, key, now)
        return path

    def ending(self, now: datetime) -> list[CertificateEnding]:
        """Return what is shown or trusted here and ends within a month."""
        found = []
        for path in (*self.folder.glob("*.pem"), *self.folder.glob("*/*.pem")):
            try:
                ends = _read(path).not_valid_after_utc
            except UserError:
                continue  # told where it is used
            if ends - now < timedelta(days=_TOLD_BEFORE_DAYS):
                found.append(CertificateEnding(str(path), ends.isoformat(), (ends - now).days))
        return sorted(found, key=lambda one: one.days_left)

    def _load(self, now: datetime) -> tuple[ssl.SSLContext, CertificateUsed]:
        authority, key = self._authority(now)
        self._keep_own_fresh(authority, key, now)
        default = self.folder / "server.pem"
        certificate = _checked(default, self._names, now)
        context = self._context(default)
        by_name = {}
        for path in sorted(self.folder.glob("*.pem")):
            if path.name not in (CA_FILE, default.name):
                _checked(path, (path.stem,), now)
                by_name[path.stem.lower()] = self._context(path)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            wanted = by_name.get((name or "").lower())
            if wanted is not None:
                connection.context = wanted

        context.sni_callback = choose
        expires_at = certificate.not_valid_after_utc.isoformat()
        fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":")
        return context, CertificateUsed(", ".join((*_names_of(certificate), *by_name)), expires_at, fingerprint)

    def _authorities(self) -> ssl.SSLContext:
        return self._logging(ssl.create_default_context(cafile=str(self.ca_file)))

    def _context(self, path: Path) -> ssl.SSLContext:
        return self._logging(_context(path))

    def _logging(self, context: ssl.SSLContext) -> ssl.SSLContext:
        if self._key_log is not None:
            context.keylog_filename = str(self._key_log)
        return context

    def _authority(self, now: datetime) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        path, key_path = self.ca_file, self.folder / "ca.key"
        if not path.exists():
            key = rsa.generate_private_key(65537, _KEY_BITS)
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Switchroom lab authority")])
            made = (
                _builder(name, name, key, now, _CA_DAYS)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_usage(signs=True), critical=True)
                .sign(key, hashes.SHA256())
            )
            _write_key(key_path, key)
            _write(path, made)
        certificate = _read(path)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise _unusable(
                f"the lab's authority in {path} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} "
                f"to {certificate.not_valid_after_utc:%Y-%m-%d}, today is {now:%Y-%m-%d}",
                f"set the clock right, or remove {self.folder} and let phones trust the new ca.pem",
            )
        return certificate, _read_key(key_path)

    def _keep_own_fresh(self, authority: x509.Certificate, key: rsa.RSAPrivateKey, now: datetime) -> None:
        self._keep_fresh(self.folder / "server.pem", self._names, authority, key, now)

    def _keep_fresh(
        self, path: Path, names: Sequence[str], authority: x509.Certificate, key: rsa.RSAPrivateKey, now: datetime
    ) -> None:
        """Make a server's certificate, or make it again: for other names, or when its end is near."""
        if path.exists():
            old = _read(path)
            if not _made_by(authority, old):
                return  # the operator's own
            left = old.not_valid_after_utc - now
            if set(_names_of(old)) >= set(names) and left > timedelta(days=_RENEWED_BEFORE_DAYS):
                return
        own = rsa.generate_private_key(65537, _KEY_BITS)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = (
            _builder(subject, authority.subject, own, now, _SERVER_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write_key(path.with_suffix(".key"), own)
        _write(path, made)


def explained(peer: Peer, error: Exception, ca_url: str) -> TlsRefused:
    """Say in four parts why no TLS connection came about."""
    reason = (getattr(error, "reason", None) or "").upper()
    text = getattr(error, "verify_message", "") or reason.replace("_", " ").lower() or str(error)
    happened, remedy = f"no TLS connection with {peer.host}", "compare what both ends offer; TLS 1.2 and 1.3 are served"
    if isinstance(error, ConnectionResetError):
        happened, text = f"{peer.host} left in the middle of the handshake", "it did not say why"
        remedy = f"some phones do so when they do not trust us: let it trust {ca_url}"
    elif reason == "CERTIFICATE_VERIFY_FAILED":
        happened = f"the certificate of {peer.host} was not taken"
        remedy = "give it a certificate in date, for the name or address it is called by, of an authority known here"
    elif "UNKNOWN_CA" in reason or "BAD_CERTIFICATE" in reason or "CERTIFICATE_UNKNOWN" in reason:
        happened = f"{peer.host} does not take our certificate"
        remedy = f"let it trust {ca_url}, and reach this server by a name in the certificate"
    elif "CERTIFICATE_EXPIRED" in reason:
        happened = f"{peer.host} finds our certificate out of date"
        remedy = "compare the clocks of both ends; renew the certificate and reload (SIGHUP)"
    elif reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        happened, remedy = f"{peer.host} shows no certificate", "let it use the port that asks for none, or give it one"
    elif reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"):
        text, remedy = "it does not speak TLS", "set its transport to TLS, or let it use the port for TCP"
        if peer.transport == "https":
            remedy = "let it fetch by https:// from this port, or by http:// from the other"
    return TlsRefused(str(peer), happened, text, remedy, REFERENCE)


def _checked(path: Path, names: Sequence[str], now: datetime) -> x509.Certificate:
    """Return the certificate; UserError when it is out of date or for none of `names`."""
    certificate = _read(path)
    if now > certificate.not_valid_after_utc:
        raise _unusable(
            f"the certificate in {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}",
            "put a certificate in date there and reload (SIGHUP), or remove it to get one of the lab's",
        )
    if now < certificate.not_valid_before_utc:
        raise _unusable(
            f"the certificate in {path} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d}",
            "set the clock of this machine right",
        )
    shown = _names_of(certificate)
    if not any(_covers(one, name) for one in shown for name in names):
        raise _unusable(
            f"the certificate in {path} is for {', '.join(shown) or 'nobody'}, phones know this server "
            f"as {', '.join(names)}",
            "put one there for such a name, or remove it to get one of the lab's",
        )
    return certificate


def _covers(shown: str, name: str) -> bool:
    shown, name = shown.lower(), name.lower()
    return shown == name or (shown.startswith("*.") and name.partition(".")[2] == shown[2:])


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))


def _made_by(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(path, path.with_suffix(".key"))
    except (OSError, ssl.SSLError) as error:
        raise _unusable(
            f"{path.with_suffix('.key')} is not the key of {path.name}: {error}", "put certificate and key there"
        ) from None
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable(f"{path} holds no certificate: {error}", "put a certificate in PEM there") from None


def _read_key(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(f"{path} holds no key: {error}", f"restore it, or remove {path.parent}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _unusable(f"{path} holds no RSA key", f"restore it, or remove {path.parent}")
    return key


def _write(path: Path, certificate: x509.Certificate) -> None:
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    beside.replace(path)


def _write_key(path: Path, key: rsa.RSAPrivateKey) -> None:
    beside = path.with_name(f".{path.name}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_key_text(key))
    beside.replace(path)


def _key_text(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _unusable(why: str, remedy: str) -> UserError:
    return UserError("TLS cannot be served", why, remedy, REFERENCE, NO_START)
