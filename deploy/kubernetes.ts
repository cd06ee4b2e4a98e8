import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IConfigMap } from "kubernetes-models/v1/ConfigMap";
import type { IIoK8sApiCoreV1Container as Container } from "kubernetes-models/v1/Container";
import type { IIoK8sApiCoreV1PodSpec as PodSpec } from "kubernetes-models/v1/PodSpec";
import type { IService } from "kubernetes-models/v1/Service";
import type { IIoK8sApiCoreV1Volume as Volume } from "kubernetes-models/v1/Volume";
import type { IIoK8sApiCoreV1VolumeMount as VolumeMount } from "kubernetes-models/v1/VolumeMount";
import type { IIoK8sApiCoreV1VolumeProjection as VolumeProjection } from "kubernetes-models/v1/VolumeProjection";
import { stringify } from "yaml";
import type { Config } from "../shared/config/config.ts";
import { commandOf, commented } from "./docker.ts";
import { labels, metadata, nameOf } from "./kubernetes-names.ts";
import { probes } from "./kubernetes-probes.ts";
import {
  type DeployRequest,
  type Dialect,
  environmentOf,
  PORT,
  podHost,
  STORE_FILE,
  type Worker,
  workersOf,
} from "./network.ts";

/**
 * Manifests for `kubectl apply -f -`: a StatefulSet for each worker and one for the hub, all under one headless Service.
 * Secrets are named and not printed; the heading says how each is made. Throws an Error where data lie on this machine.
 */
export function kubernetesManifests(config: Config, request: DeployRequest): string {
  if ("path" in config.data && config.data.path !== undefined)
    throw new Error(
      `Cannot make manifests: the data are in ${config.data.path}, a folder of this machine; put them into the image`,
    );
  const net = nameOf(config.name);
  const dialect = dialectOf(net);
  const workers = workersOf(config, request, dialect);
  const environment = environmentOf(request, dialect);
  const manifests = [
    configMap(net, request),
    ...services(net),
    disruptionBudget(net),
    networkPolicy(net, request),
    ...workers.map((worker) => statefulSet(net, worker, request, environment)),
  ];
  const texts = manifests.map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false }));
  return `${heading(net, request)}${texts.map((text) => `---\n${text}`).join("")}`;
}

const SECRETS = "/run/secrets/unlocked";
const FOLDER_OF_CONFIG = "/config";

function dialectOf(net: string): Dialect {
  return {
    // Of the one pod of a StatefulSet, under the headless Service.
    host: (name) => (name === "hub" ? `${net}-hub` : podHost(net, name)),
    // $(NAME) would be replaced.
    literal: (word) => word.replaceAll("$(", "$$$$("),
    variable: (_, otherwise) => otherwise.replaceAll("$(", "$$$$("),
    secrets: SECRETS,
    config: `${FOLDER_OF_CONFIG}/config.yaml`,
    set: [],
    hubFlags: ["--host-name", `${net}-hub`],
  };
}

function heading(net: string, request: DeployRequest): string {
  const made = Object.entries(secretsOf(net, request)).map(
    ([name, files]) => `${name} ${files.map(([key, file]) => `--from-file=${key}=${file}`).join(" ")}`,
  );
  if (request.certs !== undefined) made.push(`${net}-certs --from-file=${request.certs}`);
  const commands = made.map((each) => `  kubectl create secret generic ${each}`);
  return commented([
    `The network of ${request.configPath} on Kubernetes: kubectl apply -f - (see docs/deploy.md). Printed by`,
    `  ${commandOf("deploy kubernetes", request.configPath, request)}`,
    ...(commands.length > 0 ? ["It needs these secrets first:", ...commands] : []),
  ]);
}

type SecretFiles = Readonly<Record<string, readonly (readonly [key: string, file: string])[]>>;

/** Each by its name, with its keys and the files that they are made from. */
function secretsOf(net: string, { secretFile, store, storeFile }: DeployRequest): SecretFiles {
  return {
    ...(secretFile !== undefined && { [`${net}-secret`]: [["unlocked", secretFile]] }),
    ...(store !== undefined && storeFile !== undefined && { [`${net}-store`]: [[STORE_FILE, storeFile]] }),
  };
}

function configMap(net: string, { configText }: DeployRequest): IConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata(net, `${net}-config`),
    data: { "config.yaml": configText ?? "" },
  };
}

function services(net: string): IService[] {
  const ports = [{ name: "ws", port: PORT, targetPort: "ws" }];
  const service = (name: string, spec: IService["spec"]): IService => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(net, name),
    spec: { ...spec, ports },
  });
  return [
    // Workers find each other while they are not ready: that is what they become by finding each other.
    service(net, { clusterIP: "None", publishNotReadyAddresses: true, selector: labels(net) }),
    service(`${net}-hub`, { selector: labels(net, "hub") }),
  ];
}

/** A drain takes one worker at a time. */
function disruptionBudget(net: string): IPodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadata(net, net),
    spec: { maxUnavailable: 1, selector: { matchLabels: labels(net) } },
  };
}

/** Workers hear nobody else, and reach nobody but each other, names, and the store where there is one. */
function networkPolicy(net: string, { store }: DeployRequest): INetworkPolicy {
  const each = { podSelector: { matchLabels: labels(net) } };
  const ours = [{ port: PORT, protocol: "TCP" as const }];
  const names = (["UDP", "TCP"] as const).map((protocol) => ({ port: 53, protocol }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(net, net),
    spec: {
      podSelector: { matchLabels: labels(net) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [each], ports: ours }],
      egress: [
        { to: [each], ports: ours },
        { ports: names },
        // Where the store is stands in its file, which is a secret.
        ...(store === undefined
          ? []
          : [{ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }] }]),
      ],
    },
  };
}

function statefulSet(
  net: string,
  worker: Worker,
  request: DeployRequest,
  environment: Readonly<Record<string, string>>,
): IStatefulSet {
  const { name, folder } = worker;
  const own = labels(net, name);
  const mounted = { name: "folder", mountPath: folder };
  // A volume ties a pod to where its disk is; with a store it may go anywhere.
  const isTied = request.store === undefined;
  const claim = {
    metadata: { name: "folder" },
    spec: { accessModes: ["ReadWriteOnce" as const], resources: { requests: { storage: "1Gi" } } },
  };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadata(net, `${net}-${name}`, name),
    spec: {
      replicas: 1,
      serviceName: net,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: own },
      template: {
        metadata: { labels: own },
        spec: pod(net, worker, request, { environment, mounted, isTied }),
      },
      ...(isTied && { volumeClaimTemplates: [claim] }),
    },
  };
}

interface PodParts {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounted: VolumeMount;
  readonly isTied: boolean;
}

function pod(
  net: string,
  worker: Worker,
  request: DeployRequest,
  { environment, mounted, isTied }: PodParts,
): PodSpec {
  const secrets = secretVolume(net, worker, request);
  // What its node does not say for so long, it is not waited for.
  const tolerations = ["not-ready", "unreachable"].map((what) => ({
    key: `node.kubernetes.io/${what}`,
    operator: "Exists" as const,
    effect: "NoExecute" as const,
    tolerationSeconds: 10,
  }));
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // More than a checkpoint takes, and the store's acknowledgement.
    terminationGracePeriodSeconds: 30,
    tolerations,
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labels(net) },
      },
    ],
    securityContext: {
      runAsNonRoot: true,
      // Beyond the users of any node.
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [container(worker, request, environment, [mounted], secrets.length > 0)],
    volumes: [
      { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
      { name: "config", configMap: { name: `${net}-config` } },
      ...(isTied ? [] : [{ name: mounted.name, emptyDir: { sizeLimit: "1Gi" } }]),
      ...secrets,
    ],
  };
}

/** All secrets of one worker, as files of one folder. */
function secretVolume(net: string, { name }: Worker, request: DeployRequest): Volume[] {
  const sources: VolumeProjection[] = Object.entries(secretsOf(net, request)).map(([secret, files]) => ({
    secret: { name: secret, items: files.map(([key]) => ({ key, path: key })) },
  }));
  if (request.certs !== undefined && name !== "hub") sources.push(certificateOf(net, name));
  return sources.length === 0 ? [] : [{ name: "secrets", projected: { defaultMode: 0o440, sources } }];
}

/** Of a Secret with all certificates, this worker's own. */
function certificateOf(net: string, name: string): VolumeProjection {
  const items = [
    { key: "ca.crt", path: "tls-ca.pem" },
    { key: `${name}.crt`, path: "tls-cert.pem" },
    { key: `${name}.key`, path: "tls-key.pem" },
  ];
  return { secret: { name: `${net}-certs`, items } };
}

function container(
  { name, args, memoryMiB }: Worker,
  request: DeployRequest,
  environment: Readonly<Record<string, string>>,
  mounts: readonly VolumeMount[],
  hasSecrets: boolean,
): Container {
  const variables = Object.entries(environment).map(([key, value]) => ({ name: key, value }));
  return {
    name: "worker",
    image: request.image ?? "unlocked:0.1.0",
    imagePullPolicy: "IfNotPresent",
    args: [...args],
    env: [{ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }, ...variables],
    ports: [{ name: "ws", containerPort: PORT }],
    resources: {
      requests: { cpu: "250m", memory: `${memoryMiB}Mi`, "ephemeral-storage": "256Mi" },
      limits: { cpu: "2", memory: `${memoryMiB}Mi`, "ephemeral-storage": "2Gi" },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      privileged: false,
      capabilities: { drop: ["ALL"] },
    },
    ...probes(name === "hub", request.certs !== undefined),
    volumeMounts: [
      ...mounts,
      { name: "tmp", mountPath: "/tmp" },
      { name: "config", mountPath: FOLDER_OF_CONFIG, readOnly: true },
      ...(hasSecrets ? [{ name: "secrets", mountPath: SECRETS, readOnly: true }] : []),
    ],
  };
}
