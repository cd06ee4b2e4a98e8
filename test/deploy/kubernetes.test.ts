import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDefaultMonokleValidator } from "@monokle/validation";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { kubernetesManifests } from "../../deploy/kubernetes.ts";
import type { DeployRequest } from "../../deploy/network.ts";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { configHash } from "../../shared/config/hash.ts";
import { loadConfig } from "../../shared/config/read-config.ts";

const CONFIGS = ["mnist", "two-rings", "binary-addition", "paper/conv/conv4-cdni"].map(
  (name) => `configs/${name}.yaml`,
);
const WITH_ALL: Partial<DeployRequest> = {
  secretFile: "secret",
  store: "s3://bucket/prefix",
  storeFile: "store.ini",
  certs: "certs",
  image: "registry.example/unlocked:7",
};

describe.each(CONFIGS)("the manifests of %s", (path) => {
  describe.each([
    ["with volumes", {}],
    ["with a store, a secret and certificates", WITH_ALL],
  ])("%s", (_, request) => {
    const objects = make(path, request);

    it("are what the published schemas say", () => {
      expect(objects.length).toBeGreaterThan(6);
      expect(objects.map(mistakeIn)).toEqual(objects.map(() => undefined));
    });

    it("give a linter nothing to find", async () => {
      const findings = await lint(objects);
      // Secrets are made apart: what is in them is not for printing.
      expect(findings.filter((each) => !/mnist-certs|missing links.*Secret/.test(each))).toEqual([]);
    });
  });

  it("start each worker with the very config, from a file", () => {
    const { config } = loadConfig(path);
    const told = make(path).find(({ kind }) => kind === "ConfigMap")!.data["config.yaml"];
    const folder = mkdtempSync(join(tmpdir(), "unlocked-kubernetes-"));
    try {
      writeFileSync(join(folder, "config.yaml"), told);
      expect(configHash(loadConfig(join(folder, "config.yaml")).config)).toBe(configHash(config));
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const set of setsIn(make(path))) expect(argsOf(set)).toContain("/config/config.yaml");
  });
});

describe("manifests", () => {
  const objects = make("configs/mnist.yaml");

  it("chain the workers by the names of their pods, which resolve before they are ready", () => {
    const sets = setsIn(objects);
    expect(sets.map(({ metadata }) => metadata.name)).toEqual(
      ["source", "layer1", "layer2", "layer3", "layer4", "hub"].map((name) => `mnist-${name}`),
    );
    expect(sets.map((set) => flag(set, "--successor"))).toEqual([
      ...[1, 2, 3, 4].map((layer) => `ws://mnist-layer${layer}-0.mnist:7400`),
      undefined,
      undefined,
    ]);
    const headless = objects.find(({ kind, metadata }) => kind === "Service" && metadata.name === "mnist")!;
    expect(headless.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
    for (const { spec } of sets)
      expect(spec).toMatchObject({ serviceName: "mnist", podManagementPolicy: "Parallel" });
  });

  it("leave a node that is lost soon, and give a worker time for a checkpoint", () => {
    for (const { spec } of setsIn(objects)) {
      const pod = spec.template.spec;
      expect(pod.tolerations.map(({ tolerationSeconds }: Tree) => tolerationSeconds)).toEqual([10, 10]);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(10);
      expect(pod.topologySpreadConstraints[0].topologyKey).toBe("kubernetes.io/hostname");
    }
  });

  it("tie a worker to a disk only where there is no store", () => {
    for (const { spec } of setsIn(objects)) expect(spec.volumeClaimTemplates).toHaveLength(1);
    for (const { spec } of setsIn(make("configs/mnist.yaml", WITH_ALL)))
      expect(spec).not.toHaveProperty("volumeClaimTemplates");
  });

  it("name secrets, say how they are made, and never hold one", () => {
    const text = print("configs/mnist.yaml", WITH_ALL);
    expect(text).not.toMatch(/^kind: Secret$/m);
    expect(text).toContain("#   kubectl create secret generic mnist-secret --from-file=unlocked=secret");
    expect(text).toContain("#   kubectl create secret generic mnist-store --from-file=store=store.ini");
    expect(text).toContain("#   kubectl create secret generic mnist-certs --from-file=certs");
    const layer = setsIn(make("configs/mnist.yaml", WITH_ALL)).find(
      ({ metadata }) => metadata.name === "mnist-layer2",
    )!;
    expect(flag(layer, "--tls-key")).toBe("/run/secrets/unlocked/tls-key.pem");
    const { sources } = layer.spec.template.spec.volumes.find(
      ({ name }: Tree) => name === "secrets",
    ).projected;
    expect(sources.at(-1).secret.items.map(({ key }: Tree) => key)).toEqual([
      "ca.crt",
      "layer2.crt",
      "layer2.key",
    ]);
  });

  it("are refused for data that lie in a folder of this machine", () => {
    const { config } = loadConfig("configs/mnist.yaml", ["data={set: mnist, path: downloads}"]);
    expect(() => kubernetesManifests(config, { configPath: "configs/mnist.yaml" })).toThrow(
      "Cannot make manifests: the data are in downloads, a folder of this machine; put them into the image",
    );
  });
});

const kustomize = works("kubectl", ["kustomize", "--help"]) ? undefined : "there is no kubectl";
if (kustomize !== undefined) console.warn(`The test of deploy/kustomization.yaml is skipped: ${kustomize}.`);

describe.skipIf(kustomize !== undefined)("deploy/kustomization.yaml", () => {
  it("changes image, namespace and storage class of what was printed", () => {
    const folder = mkdtempSync(join(tmpdir(), "unlocked-kustomize-"));
    try {
      writeFileSync(join(folder, "network.yaml"), print("configs/mnist.yaml"));
      execFileSync("cp", ["deploy/kustomization.yaml", folder]);
      const built = execFileSync("kubectl", ["kustomize", folder], { encoding: "utf8" });
      const objects = parseAllDocuments(built).map((each) => each.toJS() as Tree);
      expect(objects.map(mistakeIn)).toEqual(objects.map(() => undefined));
      for (const { metadata } of objects) expect(metadata.namespace).toBe("unlocked");
      for (const { spec } of setsIn(objects)) {
        expect(spec.template.spec.containers[0].image).toBe("registry.example/unlocked:0.1.0");
        expect(spec.volumeClaimTemplates[0].spec.storageClassName).toBe("standard");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("these tests", () => {
  const set = setsIn(make("configs/mnist.yaml"))[1]!;

  it("see a value that the schema refuses", () => {
    const wrong = structuredClone(set);
    wrong.spec.replicas = "one";
    expect(mistakeIn(wrong)).toMatch("/spec/replicas must be integer");
  });

  it("see what the linter is for", async () => {
    const careless = structuredClone(set);
    careless.spec.template.spec.containers[0].securityContext.privileged = true;
    expect((await lint([careless])).join()).toMatch(/privileged/i);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what was printed may hold anything; the tests say what it must.
type Tree = any;

function print(path: string, request: Partial<DeployRequest> = {}): string {
  const { config } = loadConfig(path);
  return kubernetesManifests(config, { configPath: path, configText: canonicalYaml(config), ...request });
}

function make(path: string, request: Partial<DeployRequest> = {}): Tree[] {
  return parseAllDocuments(print(path, request)).map((each) => each.toJS());
}

function setsIn(objects: readonly Tree[]): Tree[] {
  return objects.filter(({ kind }) => kind === "StatefulSet");
}

function argsOf(set: Tree): string[] {
  return set.spec.template.spec.containers[0].args;
}

function flag(set: Tree, name: string): string | undefined {
  const args = argsOf(set);
  return args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
}

const require = createRequire(import.meta.url);

/** What the schema of its kind, in Kubernetes 1.27, has against it. */
function mistakeIn(object: Tree): string | undefined {
  const { [object.kind]: Model } = require(`kubernetes-models/${object.apiVersion}/${object.kind}`);
  try {
    new Model(object).validate();
    return undefined;
  } catch (error) {
    return `${object.kind} ${object.metadata.name}: ${(error as Error).message}`;
  }
}

async function lint(objects: readonly Tree[]): Promise<string[]> {
  const validator = createDefaultMonokleValidator();
  const plugins = {
    "yaml-syntax": true,
    "resource-links": true,
    "pod-security-standards": true,
    practices: true,
  };
  await validator.preload({ plugins });
  const resources = objects.map((content, index) => ({
    ...{ id: String(index), fileId: "manifests", filePath: "manifests.yaml", fileOffset: 0 },
    ...{ text: JSON.stringify(content), name: content.metadata.name, apiVersion: content.apiVersion },
    ...{ kind: content.kind, content },
  }));
  const { runs } = await validator.validate({ resources });
  return runs.flatMap(({ results }) =>
    results.map(({ ruleId, message, locations }) => {
      const where = locations.at(-1)?.logicalLocations?.[0]?.fullyQualifiedName;
      return `${ruleId} ${message.text} ${where}`;
    }),
  );
}

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
