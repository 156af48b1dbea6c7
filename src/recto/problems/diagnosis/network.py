"""The way to an index: wording of urllib3, requests, reqwest and of the servers themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from recto.problems.diagnosis.finding import Finding, Rule, wording

RULES = (
    Rule("index-auth", re.compile(r"\b40[13] (?:Client Error|Unauthorized|Forbidden|Error, Credentials)")),
    Rule("index-auth", wording(r"HTTP error 40[13]\b")),
    Rule("index-auth", wording(r"User for [^\n]{1,120}: |Credentials not correct")),
    Rule("network-tls", re.compile(r"invalid peer certificate|CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError")),
    Rule("network-tls", wording(r"Could not find a suitable TLS CA certificate bundle")),
    Rule("network-tls", re.compile(r"SSLError\(|certificate verify failed|ssl module in Python is not available")),
    Rule("network-timeout", re.compile(r"operation timed out|[Rr]ead timed out|ReadTimeoutError|ConnectTimeoutError")),
    Rule("network-timeout", wording(r"Failed to download distribution due to network timeout")),
    Rule(
        "network-unreachable",
        re.compile(
            r"dns error|Name or service not known|getaddrinfo failed|Temporary failure in name resolution"
            r"|nodename nor servname|failed to lookup address|No address associated with hostname|NameResolutionError"
        ),
        {"reason": "its host name was not found"},
    ),
    Rule(
        "network-unreachable",
        wording(
            r"Connection refused|actively refused|\[WinError 10061\]"
            # What made urllib3 give up stands behind it, and where that is known it is a cause of its own.
            r"|Max retries exceeded(?![^\n]{0,600}(?:ResponseError|SSLError|TimeoutError|ProxyError|NameResolution))"
        ),
        {"reason": "the connection was refused"},
    ),
    Rule(
        "network-unreachable",
        wording(r"Network is unreachable|No route to host"),
        {"reason": "there is no route to it"},
    ),
    Rule("network-unreachable", wording(r"Cannot connect to proxy|ProxyError"), {"reason": "the proxy is unreachable"}),
    Rule(
        "network-unreachable",
        wording(r"[Cc]onnection reset by peer|Connection aborted|RemoteDisconnected|connection closed before message"),
        {"reason": "the connection broke off"},
    ),
    Rule(
        "index-error",
        re.compile(
            r"HTTP status server error \(5\d\d"
            r"|\b5\d\d (?:Server Error|Service Unavailable|Bad Gateway|Internal Server Error|Gateway Time)"
        ),
    ),
    Rule("index-error", wording(r"because the (?:GET|HEAD) request got Content-Type: ")),
    Rule("index-error", wording(r"too many 5\d\d error responses")),
    Rule(
        "index-error",
        wording(
            r"Failed to parse (?:HTML|JSON) response|Received some unexpected (?:content-type|HTML|JSON)"
            r"|HTML page [^\n]{1,200} is invalid"
        ),
    ),
)


# An installer ran: without that, a failing connection is one that a cell of the document opened.
_INSTALLER = re.compile(
    r"Collecting |Looking in indexes|pip\._vendor|pip\._internal|WARNING: Retrying|^ERROR: |^error: |Failed to fetch"
    r"|No solution found|Could not fetch|Could not install|pip install|Resolved \d",
    re.MULTILINE,
)
_GOING_ON = re.compile(
    r"^\s{0,8}(?:Collecting|Downloading|Using cached|Installing collected packages|Resolved \d)", re.MULTILINE
)


def findings(text: str) -> Iterator[Finding]:
    """The causes that lie between here and the index; weak where the installer tried again and went on."""
    if _INSTALLER.search(text) is None:
        return
    progress = [match.start() for match in _GOING_ON.finditer(text)]
    last_progress = progress[-1] if progress else -1
    for rule in RULES:
        for finding in rule.findings(text):
            yield replace(finding, weak=finding.weak or finding.end < last_progress)
