"""Kinds: the way to the package index."""

from recto.problems.kind import Kind, by_code

KINDS = by_code(
    Kind(
        "network-timeout",
        "network",
        "A connection or a read timed out.",
        "The package index did not answer in time.",
        "Try again in a minute.",
        who="nobody",
    ),
    Kind(
        "network-unreachable",
        "network",
        "The name lookup failed, the connection was refused, or a proxy is unreachable.",
        "The package index cannot be reached: {reason}.",
        "Check the connection, then try again; installed environments go on working.",
        who="operator",
        example={"reason": "the host name was not found"},
    ),
    Kind(
        "network-tls",
        "network",
        "Certificate verification failed or the path of the CA bundle is wrong.",
        "The certificate of the package index could not be verified.",
        "Set `SSL_CERT_FILE` to the CA bundle of your network.",
        who="operator",
    ),
    Kind(
        "index-auth",
        "network",
        "The index answered 401 or 403.",
        "The package index refused the request: it wants other credentials.",
        "Check the credentials of the index in the settings.",
        who="operator",
    ),
    Kind(
        "index-error",
        "network",
        "The index answered with a server error, or with a page that is not an index.",
        "The package index answered with an error.",
        "Try again in a minute; if it stays, the index address is wrong or the index is down.",
        who="operator",
    ),
)
