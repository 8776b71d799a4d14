"""What `kn service update` writes: a model of kn, made from its documentation and from reading its sources.

Sources: knative/client, docs/cmd/kn_service_update.md, pkg/commands/service/configuration_edit_flags.go,
pkg/flags/podspec_helper.go, pkg/serving/config_changes.go, pkg/traffic/compute.go (July 2026). What surprises there is
modelled as it is: kn edits the first container, whichever serves; `--annotation-revision K-` makes a key `K-`;
without `--image` a service that kn made is pinned to the digest of its latest revision.

Nothing of the console is used here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from operator import itemgetter

from tests.support.kn_arguments import (
    KnRefused,
    check_autoscaling,
    env_source,
    go_integer,
    literal,
    mount_options,
    ordered,
    pairs_or_gone,
    parsed,
    reference,
    remove_first,
    singles,
    source,
    volume_name,
    volume_source,
    words,
)
from tests.support.kn_arguments import handler as read_handler
from tests.support.kn_meaning import UPDATE_TIMESTAMP, USER_IMAGE, Json, quantity
from tests.support.kn_traffic import find, give, pair, shares, tag

AUTOSCALING = "autoscaling.knative.dev"
NOW = "2026-11-25T10:00:00Z"

PROBE_OPTIONS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
# Flags that kn does not count as a change of the template (configuration_edit_flags.go, podspec.go).
NO_MUTATION = {
    "namespace", "pull-policy", "probe-readiness-opts", "traffic", "tag", "untag", "cluster-local", "no-cluster-local",
    "lock-to-digest", "no-lock-to-digest",
}  # fmt: skip


def run(line: str, service: Json, variables: Mapping[str, str] | None = None, base: Json | None = None) -> Json:
    """Return the Service that kn would write; raises KnRefused.

    `base`: the revision whose digest kn keeps, latestCreatedRevisionName as a rule.
    """
    arguments = words(line, variables)
    if arguments[:2] != ["service", "update"]:
        raise KnRefused(f"not modelled: {arguments[:2]}")
    name, flags, order = parsed(arguments[2:])
    if name != service["metadata"]["name"] or flags.get("namespace") != [service["metadata"]["namespace"]]:
        raise KnRefused("another service")
    if not flags.keys() - {"namespace"}:
        raise KnRefused("flag(s) not set")
    return _Update(service, flags, order, base).run()


class _Update:
    def __init__(
        self, service: Json, flags: dict[str, list[str]], order: list[tuple[str, str]], base: Json | None
    ) -> None:
        self.service = copy.deepcopy(service)
        self.flags = flags
        self.order = order
        self.base = base
        self.template: Json = self.service["spec"].setdefault("template", {})
        self.pod: Json = self.template.setdefault("spec", {})
        if not self.pod.get("containers"):
            self.pod["containers"] = [{}]
        self.first: Json = self.pod["containers"][0]

    def run(self) -> Json:
        for step in (self.env, self.env_from, self.mounts, self.container, self.scheduling, self.name_and_pin,
                     self.scale, self.labels, self.annotations, self.traffic):  # fmt: skip
            step()
        return self.service

    # Small helpers

    def one(self, flag: str) -> str | None:
        return self.flags[flag][-1] if flag in self.flags else None

    def integer(self, flag: str) -> int | None:
        text = self.one(flag)
        return None if text is None else go_integer(flag, text)

    def metadata(self, holder: Json, kind: str) -> dict[str, str]:
        if not isinstance(holder.get("metadata"), dict):
            holder["metadata"] = {}
        if not isinstance(holder["metadata"].get(kind), dict):
            holder["metadata"][kind] = {}
        found: dict[str, str] = holder["metadata"][kind]
        return found

    @property
    def mutates(self) -> bool:
        return bool(self.flags.keys() - NO_MUTATION)

    # Flags of the pod

    def env(self) -> None:
        if not self.flags.keys() & {"env", "env-value-from"}:
            return
        wanted: dict[str, Json] = {}
        removed: list[str] = []
        made = {"env": literal, "env-value-from": reference}
        for flag, text in self.order:  # kn looks its arguments over for the order of both flags
            pairs, gone = ordered([text] if flag in made else [])
            wanted |= {name: made[flag](name, value) for name, value in pairs.items()}
            removed += gone
        entries = [wanted.get(entry["name"], entry) for entry in self.first.get("env") or ()]
        present = {entry["name"] for entry in entries}
        entries += [entry for name, entry in wanted.items() if name not in present]
        for name in removed:
            remove_first(entries, name, itemgetter("name"))
        self.first["env"] = entries

    def env_from(self) -> None:
        entries = list(self.first.get("envFrom") or ())
        for text in self.flags.get("env-from", ()):
            if not text.endswith("-") and source(text) not in [env_source(entry) for entry in entries]:
                kind, name = source(text)
                entries.append({kind: {"name": name}})
        for text in self.flags.get("env-from", ()):
            if text.endswith("-"):
                gone = source(text[:-1])
                remove_first(entries, gone, env_source)
        self.first["envFrom"] = entries

    def mounts(self) -> None:
        if not self.flags.keys() & {"mount", "volume"}:
            return
        mounts, unmounted = ordered(self.flags.get("mount", ()))
        volumes, removed = ordered(self.flags.get("volume", ()))
        sources: dict[str, Json] = {}
        wanted: dict[str, Json] = {}
        for path, text in mounts.items():
            kind, is_typed, rest = text.partition(":")
            name, options = mount_options(rest if is_typed else text)
            name, _, below = name.partition("/")
            if is_typed:
                own = volume_name(path)
                sources[own], name = volume_source(f"{kind}:{name}"), own
            wanted[path] = {"name": name, "mountPath": path, "readOnly": options} | (
                {"subPath": below} if below else {}
            )
        sources |= {name: volume_source(text) for name, text in volumes.items()}
        self.place_volumes(sources)
        present = list(self.first.get("volumeMounts") or ())
        self.place_mounts(wanted)
        for path in unmounted:
            removed += [m["name"] for m in present if m["mountPath"] == path and m["name"] == volume_name(path)]
            remove_first(self.first["volumeMounts"], path, itemgetter("mountPath"))
        for name in removed:
            if any(mount["name"] == name for mount in self.first["volumeMounts"]):
                raise KnRefused(f"The volume {name} cannot be removed because it is mounted")
            remove_first(self.pod["volumes"], name, itemgetter("name"))

    def place_volumes(self, sources: dict[str, Json]) -> None:
        volumes = self.pod["volumes"] = list(self.pod.get("volumes") or ())
        for index, volume in enumerate(volumes):
            if volume["name"] in sources:
                volumes[index] = {**volume, **sources[volume["name"]]}
        present = {volume["name"] for volume in volumes}
        volumes += [{"name": name, **source} for name, source in sources.items() if name not in present]

    def place_mounts(self, wanted: dict[str, Json]) -> None:
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        entries = self.first["volumeMounts"] = list(self.first.get("volumeMounts") or ())
        for path, mount in wanted.items():
            volume = volumes.get(mount["name"])
            if volume is None:
                raise KnRefused(f"There is no volume matched with {mount['name']}")
            if mount["readOnly"] is None:
                mount["readOnly"] = not ("emptyDir" in volume or "persistentVolumeClaim" in volume)
            at = next((index for index, entry in enumerate(entries) if entry["mountPath"] == path), None)
            if at is None:
                entries.append(mount)
            else:
                entries[at] = {**entries[at], "subPath": "", **mount}

    def container(self) -> None:
        first = self.first
        if (image := self.one("image")) is not None:
            first["image"] = image
        if (policy := self.one("pull-policy")) is not None:
            known = {"always": "Always", "never": "Never", "ifnotpresent": "IfNotPresent"}
            if policy.lower() not in known:
                raise KnRefused(f"invalid --pull-policy {policy}")
            first["imagePullPolicy"] = known[policy.lower()]
        self.resources()
        for flag, key in (("cmd", "command"), ("arg", "args")):
            if flag in self.flags:
                first[key] = self.flags[flag]
        if (port := self.one("port")) is not None:
            name, _, number = port.rpartition(":")
            if not number.isdecimal():
                raise KnRefused("the port specification is not valid")
            first["ports"] = [{"containerPort": int(number), "name": name}]
        self.probe("liveness")
        self.probe("readiness")
        if (user := self.integer("user")) is not None:
            first["securityContext"] = {**(first.get("securityContext") or {}), "runAsUser": user}

    def resources(self) -> None:
        for flag, key in (("request", "requests"), ("limit", "limits")):
            wanted, removed = pairs_or_gone(self.flags.get(flag, ()))
            present = {**((self.first.get("resources") or {}).get(key) or {}), **wanted}
            for value in wanted.values():
                quantity(value)
            if flag in self.flags:
                self.first["resources"] = {
                    **(self.first.get("resources") or {}),
                    key: {name: value for name, value in present.items() if name not in removed},
                }

    def probe(self, which: str) -> None:
        handler, options = self.one(f"probe-{which}"), self.one(f"probe-{which}-opts")
        probe = dict(self.first.get(f"{which}Probe") or {})
        if handler is not None:
            kept = {key: value for key, value in probe.items() if key not in ("httpGet", "exec", "tcpSocket", "grpc")}
            probe = {**kept, **read_handler(handler)}
        known = {key.lower(): key for key in PROBE_OPTIONS}
        for option in options.split(",") if options is not None else ():
            name, is_pair, value = option.partition("=")
            if not is_pair or not value.strip().isdecimal() or name.lower() not in known:
                raise KnRefused(f"not a valid probe parameter {option}")
            probe[known[name.lower()]] = int(value)
        if handler is not None or options is not None:
            self.first[f"{which}Probe"] = probe

    def scheduling(self) -> None:
        if (account := self.one("service-account")) is not None:
            self.pod["serviceAccountName"] = account.strip()
        if (secret := self.one("pull-secret")) is not None:
            self.pod["imagePullSecrets"] = [{"name": secret.strip()}] if secret.strip() else []
        if "node-selector" in self.flags:
            wanted, removed = pairs_or_gone(self.flags["node-selector"])
            present = {**(self.pod.get("nodeSelector") or {}), **wanted}
            self.pod["nodeSelector"] = {key: value for key, value in present.items() if key not in removed}
        if "toleration" in self.flags:
            made: Json = {}
            for pair in self.flags["toleration"]:
                key, is_pair, value = pair.partition("=")
                if not is_pair or key.lower() in made:
                    raise KnRefused(f"Invalid --toleration: {pair}")
                made[key.lower()] = value
            known = {key: value for key, value in made.items() if key in ("key", "operator", "value", "effect")}
            self.pod["tolerations"] = [*(self.pod.get("tolerations") or ()), known]

    # The template

    def name_and_pin(self) -> None:
        had_name = (self.template.get("metadata") or {}).get("name")
        if name := self.one("revision-name"):
            prefix = f"{self.service['metadata']['name']}-"
            self.metadata(self.template, "annotations")
            self.template["metadata"]["name"] = name if name.startswith(prefix) else prefix + name
        if self.mutates:
            self.metadata(self.template, "annotations")[UPDATE_TIMESTAMP] = NOW
        annotations = self.metadata(self.template, "annotations")
        locks = "no-lock-to-digest" not in self.flags
        if locks and self.mutates and (USER_IMAGE in annotations or "lock-to-digest" in self.flags):
            if "@" not in self.first["image"] or USER_IMAGE not in annotations:
                annotations[USER_IMAGE] = self.first["image"]
            if "image" not in self.flags:
                self.pin(had_name)
        if not locks:
            annotations.pop(USER_IMAGE, None)

    def pin(self, had_name: str | None) -> None:
        """To the digest of the base revision's serving container, written into the first one."""
        if self.base is None:
            return
        containers = self.base["spec"]["containers"]
        if containers[0]["image"] != self.first["image"]:
            if had_name:
                raise KnRefused("can not pin image to digest")
            return
        serving = 0 if len(containers) == 1 else next((i for i, c in enumerate(containers) if c.get("ports")), -1)
        statuses = self.base["status"].get("containerStatuses") or []
        if 0 <= serving < len(statuses) and statuses[serving].get("imageDigest"):
            self.first["image"] = statuses[serving]["imageDigest"]

    def scale(self) -> None:
        written = self.metadata(self.template, "annotations")
        for flag, key in (("scale-min", "min-scale"), ("scale-max", "max-scale"), ("scale-target", "target"),
                          ("scale-activation", "activation-scale"), ("scale-init", "initial-scale"),
                          ("scale-utilization", "target-utilization-percentage")):  # fmt: skip
            if (number := self.integer(flag)) is not None:
                check_autoscaling({f"{AUTOSCALING}/{key}": str(number)})
                written[f"{AUTOSCALING}/{key}"] = str(number)
        if (window := self.one("scale-window")) is not None:
            check_autoscaling({f"{AUTOSCALING}/window": window})
            written[f"{AUTOSCALING}/window"] = window
        if (metric := self.one("scale-metric")) is not None:
            written[f"{AUTOSCALING}/metric"] = metric
        if (limit := self.integer("concurrency-limit")) is not None:
            self.pod["containerConcurrency"] = limit
        if (timeout := self.integer("timeout")) is not None:
            self.pod["timeoutSeconds"] = timeout

    def labels(self) -> None:
        visibility = "networking.knative.dev/visibility"
        if "cluster-local" in self.flags:
            self.metadata(self.service, "labels")[visibility] = "cluster-local"
        elif "no-cluster-local" in self.flags:
            self.metadata(self.service, "labels").pop(visibility, None)
        for flag, holder in (("label-service", self.service), ("label-revision", self.template)):
            wanted, removed = pairs_or_gone(self.flags.get(flag, ()))
            labels = self.metadata(holder, "labels")
            labels |= wanted
            for key in removed:
                labels.pop(key, None)

    def annotations(self) -> None:
        both, removed = pairs_or_gone(self.flags.get("annotation", ()))
        # A trailing minus means nothing here: it stays part of the key.
        revision = both | singles(self.flags.get("annotation-revision", ()))
        service = singles(self.flags.get("annotation-service", ()))
        if any(key.startswith(AUTOSCALING) for key in service):
            raise KnRefused("service can not have auto-scaling related annotation")
        check_autoscaling(revision)
        service = {key: value for key, value in both.items() if not key.startswith(AUTOSCALING)} | service
        for holder, wanted in ((self.template, revision), (self.service, service)):
            annotations = self.metadata(holder, "annotations")
            annotations |= wanted
            for key in removed:
                annotations.pop(key, None)

    # Traffic

    def traffic(self) -> None:
        if not self.flags.keys() & {"traffic", "tag", "untag"}:
            return
        targets = [dict(target) for target in self.service["spec"].get("traffic") or ()]
        if any("latestRevision" not in target or "percent" not in target for target in targets):
            raise KnRefused("kn crashes: the API fills both in")
        wanted = shares(self.flags.get("traffic", ()))
        for name in self.flags.get("untag", ()):
            target = find(targets, "tag", name)
            if target is None:
                raise KnRefused(f"tag(s) {name} not present")
            target["tag"] = ""
        pairs = [pair(text) for text in self.flags.get("tag", ())]
        if [revision for revision, _name in pairs].count("@latest") > 1:
            raise KnRefused("repetition of identifier @latest")
        for revision, name in pairs:
            tag(targets, revision, name)
        if "traffic" in self.flags:
            for target in targets:
                target["percent"] = 0
            for name, percent in wanted.items():
                give(targets, name, percent)
        self.service["spec"]["traffic"] = [one for one in targets if one.get("tag") or one["percent"]]
