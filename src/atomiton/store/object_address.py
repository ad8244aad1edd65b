"""Addresses of stores of objects, such as a bucket of S3: what may stand in them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit, urlunsplit

from atomiton.errors import StoreError

#: What may stand behind the ``?`` of an address: nothing that is secret.
_OPTIONS = ("endpoint", "region", "virtual_hosted_style_request")


def object_address(url: str, example: str) -> tuple[str, dict[str, object]]:
    """Take an address apart: what is left of it, and the options of the library.

    Args:
        url: ``s3://BUCKET/PREFIX?endpoint=...&region=...``, ``gs://`` or ``az://``.
        example: An address as it should be.

    Raises:
        StoreError: It names no bucket, or holds what does not belong there.

    Example:
        >>> object_address("s3://bucket/a?region=eu-west-1", "s3://bucket/a")
        ('s3://bucket/a', {'region': 'eu-west-1'})
    """
    parts = urlsplit(url)
    if not parts.netloc or "@" in parts.netloc:
        raise StoreError(f"store {parts.scheme}: name a bucket, as in {example}")
    options: dict[str, object] = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            known = ", ".join(_OPTIONS)
            raise StoreError(
                f"store {parts.scheme}://{parts.netloc}: unknown option {name!r}; only {known} "
                "may stand in the address, credentials belong into the environment"
            )
    if str(options.get("endpoint", "")).startswith("http://"):
        options["client_options"] = {"allow_http": True}
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")), options
