"""The manifests are valid for the clusters that the guide names, and keep what `docs/security.md` promises."""

from __future__ import annotations

from importlib import import_module
from ipaddress import ip_address, ip_network
from typing import Any

import kubernetes_validate
import pytest
from deployed import DEPLOY, containers, name_of, objects, of_kind, pod_templates, selects

# The oldest that the guide allows, and the newest whose schemas are there.
VERSIONS = ("1.36", "1.37")
# What runs code of packages or of documents; the gateway and the removal of environments run none.
STRANGERS = ("build", "render")
TEMPLATES = pod_templates()
INSIDE = ("10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "127.0.0.1", "0.0.0.0")
INSIDE_6 = ("::1", "fd00:ec2::254", "fe80::1", "::ffff:10.1.2.3")


def policies_of(template: dict[str, Any], direction: str) -> list[dict[str, Any]]:
    """The policies that hold a pod in this direction, `Ingress` or `Egress`."""
    labels = template["metadata"]["labels"]
    return [
        policy["spec"]
        for policy in of_kind("NetworkPolicy")
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels)
    ]


def ways_out(template: dict[str, Any]) -> list[dict[str, Any]]:
    """All that any policy lets a pod reach; a pod that no policy holds may reach everything, which is an error here."""
    held = policies_of(template, "Egress")
    assert held, "no policy holds it, so it reaches everything"
    return [way for policy in held for way in policy.get("egress", ())]


def component(template: dict[str, Any]) -> str:
    return str(template["metadata"]["labels"]["app.kubernetes.io/component"])


def of(name: str) -> dict[str, Any]:
    (found,) = [template for template in TEMPLATES.values() if component(template) == name]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("made", objects(), ids=lambda made: f"{made['kind']}/{name_of(made)}")
def test_an_object_is_valid(made: dict[str, Any], version: str) -> None:
    # The validator names what it checks, so it wants the name that the cluster would give.
    named = {**made, "metadata": {**made["metadata"], "name": name_of(made)}}
    kubernetes_validate.validate(named, version, strict=True)


def test_a_key_that_does_not_exist_is_refused() -> None:
    (service,) = of_kind("Service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**service, "spec": {**service["spec"], "selectors": {}}}, "1.37", strict=True)


def test_everything_lives_in_the_one_namespace() -> None:
    (namespace,) = of_kind("Namespace")
    others = [made for made in objects() if made["kind"] != "Namespace"]
    assert {made["metadata"]["namespace"] for made in others} == {name_of(namespace)}
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_is_applied_makes_no_pod_that_runs_strangers_code() -> None:
    """Jobs are made one by one; `kubectl apply --filename deploy/kubernetes` does not look into directories."""
    assert {path.stem for path in (DEPLOY / "kubernetes" / "jobs").iterdir()} == set(STRANGERS)
    assert {component(template) for template in TEMPLATES.values()} == {*STRANGERS, "gateway", "prune"}


@pytest.mark.parametrize("name", ["render", "prune"])
def test_a_pod_that_renders_or_prunes_reaches_nothing_and_nobody_reaches_it(name: str) -> None:
    template = of(name)
    assert ways_out(template) == []
    assert [way for policy in policies_of(template, "Ingress") for way in policy.get("ingress", ())] == []
    assert policies_of(template, "Ingress")


def test_a_pod_that_builds_reaches_the_gateway_and_nothing_else() -> None:
    (way,) = ways_out(of("build"))
    (peer,) = way["to"]
    assert list(peer) == ["podSelector"]
    reached = [where for where, t in TEMPLATES.items() if selects(peer["podSelector"], t["metadata"]["labels"])]
    assert reached == ["StatefulSet/gateway"]
    ports = [(port["protocol"], port["port"]) for port in way["ports"]]
    (service,) = of_kind("Service")
    assert ports == [("TCP", service["spec"]["ports"][0]["port"])]


def test_nobody_but_the_gateway_may_leave_the_namespace() -> None:
    def leaves(peer: dict[str, Any]) -> bool:
        return "ipBlock" in peer or "namespaceSelector" in peer

    outside = [
        policy["metadata"]["name"]
        for policy in of_kind("NetworkPolicy")
        for way in policy["spec"].get("egress", ())
        if not way.get("to") or any(leaves(peer) for peer in way["to"])
    ]
    assert set(outside) == {"gateway"}
    (policy,) = [found for found in of_kind("NetworkPolicy") if name_of(found) == "gateway"]
    held = [where for where, t in TEMPLATES.items() if selects(policy["spec"]["podSelector"], t["metadata"]["labels"])]
    assert held == ["StatefulSet/gateway"]


@pytest.mark.parametrize("address", [*INSIDE, *INSIDE_6])
def test_the_gateways_way_out_leads_nowhere_inside(address: str) -> None:
    blocks = [peer["ipBlock"] for way in ways_out(of("gateway")) for peer in way["to"] if "ipBlock" in peer]
    found = ip_address(address)
    of_its_kind = [block for block in blocks if ip_network(block["cidr"]).version == found.version]
    assert of_its_kind
    for block in of_its_kind:
        assert any(found in ip_network(left_out) for left_out in block["except"])


def test_the_gateway_goes_out_encrypted_and_to_the_name_server_only() -> None:
    ways = ways_out(of("gateway"))
    ports = [{(port["protocol"], port["port"]) for port in way["ports"]} for way in ways]
    assert ports == [{("UDP", 53), ("TCP", 53)}, {("TCP", 443)}]
    (server,) = ways[0]["to"]
    # Both in one peer: as two, each would hold alone, and all of that namespace would be reached.
    assert set(server) == {"namespaceSelector", "podSelector"}


def test_the_gateway_is_reached_by_pods_that_build_only() -> None:
    ways = [way for policy in policies_of(of("gateway"), "Ingress") for way in policy.get("ingress", ())]
    peers = [peer for way in ways for peer in way["from"]]
    assert all(list(peer) == ["podSelector"] for peer in peers)
    reaching = {
        where
        for where, t in TEMPLATES.items()
        for peer in peers
        if selects(peer["podSelector"], t["metadata"]["labels"])
    }
    assert reaching == {"Job/build"}


@pytest.mark.parametrize("where", TEMPLATES)
def test_a_pod_holds_no_token_and_is_nobody(where: str) -> None:
    spec = TEMPLATES[where]["spec"]
    assert spec["automountServiceAccountToken"] is False
    (account,) = [made for made in of_kind("ServiceAccount") if name_of(made) == spec["serviceAccountName"]]
    assert account["automountServiceAccountToken"] is False
    assert [volume for volume in spec["volumes"] if {"projected", "secret", "hostPath"} & set(volume)] == []
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert spec["hostUsers"] is False
    context = spec["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] == 10001


@pytest.mark.parametrize("where", TEMPLATES)
def test_a_container_is_limited_and_has_no_rights(where: str) -> None:
    for container in containers(TEMPLATES[where]):
        assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "seccompProfile" not in context
    for volume in TEMPLATES[where]["spec"]["volumes"]:
        if "emptyDir" in volume:
            assert volume["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("where", TEMPLATES)
def test_the_kernel_is_opened_for_bubblewrap_and_for_nothing_else(where: str) -> None:
    template = TEMPLATES[where]
    for container in containers(template):
        sandbox = {entry["name"]: entry.get("value") for entry in container["env"]}.get("RECTO_SANDBOX")
        profile = template["spec"]["securityContext"]["seccompProfile"]
        opened = container["securityContext"].get("procMount") == "Unmasked"
        assert opened is (sandbox == "bubblewrap")
        assert profile["type"] == ("Localhost" if opened else "RuntimeDefault")
        if component(template) in STRANGERS:
            assert sandbox in ("bubblewrap", "landlock")


@pytest.mark.parametrize("name", STRANGERS)
def test_what_runs_strangers_code_ends(name: str) -> None:
    (job,) = [made for made in of_kind("Job") if name_of(made) == name]
    assert job["spec"]["activeDeadlineSeconds"] > 0
    assert job["spec"]["backoffLimit"] == 0


def test_labels_match_selectors() -> None:
    for made in objects():
        if made["kind"] in ("StatefulSet", "Deployment"):
            assert selects(made["spec"]["selector"], made["spec"]["template"]["metadata"]["labels"])
    (service,) = of_kind("Service")
    (budget,) = of_kind("PodDisruptionBudget")
    for selector in ({"matchLabels": service["spec"]["selector"]}, budget["spec"]["selector"]):
        taken = [where for where, t in TEMPLATES.items() if selects(selector, t["metadata"]["labels"])]
        assert taken == ["StatefulSet/gateway"]
    for policy in of_kind("NetworkPolicy"):
        assert any(selects(policy["spec"]["podSelector"], t["metadata"]["labels"]) for t in TEMPLATES.values())


def test_the_service_leads_to_a_port_that_the_gateway_opens() -> None:
    (service,) = of_kind("Service")
    (port,) = service["spec"]["ports"]
    (container,) = containers(of("gateway"))
    opened = {found["name"]: found["containerPort"] for found in container["ports"]}
    assert opened[port["targetPort"]] == port["port"]
    assert str(port["port"]) in container["args"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": port["targetPort"]}


@pytest.mark.parametrize("where", TEMPLATES)
def test_what_a_pod_mounts_is_there(where: str) -> None:
    spec = TEMPLATES[where]["spec"]
    claims = {name_of(made) for made in of_kind("PersistentVolumeClaim")}
    maps = {name_of(made) for made in of_kind("ConfigMap")}
    for volume in spec["volumes"]:
        if "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in claims
        if "configMap" in volume:
            assert volume["configMap"]["name"] in maps
    (made,) = [made for made in objects() if f"{made['kind']}/{name_of(made)}" == where]
    named = {volume["name"] for volume in spec["volumes"]}
    named |= {claim["metadata"]["name"] for claim in made["spec"].get("volumeClaimTemplates", ())}
    for container in containers(TEMPLATES[where]):
        assert {mount["name"] for mount in container["volumeMounts"]} == named


def test_pods_that_build_find_the_gateway_without_asking_for_names() -> None:
    template = of("build")
    (container,) = containers(template)
    (service,) = of_kind("Service")
    variable = f"{name_of(service).replace('-', '_').upper()}_SERVICE_HOST"
    address = {entry["name"]: entry["value"] for entry in container["env"]}["RECTO_INDEX_URL"]
    assert address.startswith(f"http://$({variable}):{service['spec']['ports'][0]['port']}/")
    links = {component(t): t["spec"]["enableServiceLinks"] for t in TEMPLATES.values()}
    assert links == {"build": True, "render": False, "gateway": False, "prune": False}


def test_the_rules_of_the_gateway_are_ones_that_it_reads() -> None:
    (made,) = of_kind("ConfigMap")
    (container,) = containers(of("gateway"))
    (mount,) = [found for found in container["volumeMounts"] if found["name"] == "rules"]
    ((file, text),) = made["data"].items()
    named = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert named["RECTO_GATEWAY_RULES"] == f"{mount['mountPath']}/{file}"
    read_choices = import_module("recto.index.rules.configuration").read_choices
    assert read_choices(text.encode(), file, with_advisories=False) is not None
