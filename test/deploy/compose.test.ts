import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { composeFile } from "../../deploy/compose.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import { askHealth, configTold, make, mebibytes, told, understood } from "./compose-file.ts";

describe("docker-compose.yml", () => {
  it("is what configs/mnist.yaml makes", () => {
    const again = "npm run --silent unlocked -- compose configs/mnist.yaml > docker-compose.yml";
    const committed = readFileSync("docker-compose.yml", "utf8");
    expect(committed, `It is out of step. Make it again: ${again}`).toBe(make("configs/mnist.yaml").text);
    expect(committed).toContain(again);
  });
});

const configs = readdirSync("configs").filter((name) => name.endsWith(".yaml"));

describe.each(configs.map((name) => `configs/${name}`))("the compose file of %s", (path) => {
  const { config, services: all, observers, volumes } = make(path);
  const { hub, ...services } = all;
  const layers = config.layers.map((_, index) => `layer${index + 1}`);

  it("has the source and each layer as a service", () => {
    expect(Object.keys(all)).toEqual(["source", ...layers, "hub"]);
    expect(told(services.source!).program).toBe("services/source/main.ts");
    for (const [index, layer] of layers.entries()) {
      expect(told(services[layer]!).program).toBe("services/layer/main.ts");
      expect(told(services[layer]!).flags["--layer"]).toEqual([String(index + 1)]);
    }
  });

  it("chains them, and ends with the head", () => {
    const hosts = Object.values(services).map((service) => told(service).flags["--successor"]);
    expect(hosts).toEqual([...layers.map((layer) => [`ws://${layer}:7400`]), undefined]);
  });

  it("has a hub, whom all of them tell, and who keeps its record beside the source's", () => {
    for (const service of Object.values(services)) {
      expect(told(service).flags["--hub"]).toEqual(["ws://hub:7400"]);
    }
    expect(told(hub!).program).toBe("services/hub/main.ts");
    expect(told(hub!).flags["--record"]).toEqual(["/record"]);
    expect(told(hub!).flags["--run"]).toEqual(told(services.source!).flags["--run"]);
    expect(hub!.volumes).toEqual(["record:/record"]);
  });

  it("lets only the hub be reached from outside, by default from this machine", () => {
    expect(hub).toMatchObject({
      ports: [`\${UNLOCKED_BIND:-127.0.0.1}:\${UNLOCKED_PORT:-7400}:7400`],
      networks: ["mesh", "outside"],
    });
  });

  it("starts Prometheus and Grafana only where their profile is asked for", () => {
    expect(Object.values(observers).map(({ profiles }) => profiles)).toEqual([["observe"], ["observe"]]);
    for (const service of Object.values(all)) expect(service).not.toHaveProperty("profiles");
    expect(observers.prometheus).not.toHaveProperty("ports");
    expect(observers.grafana.ports).toEqual([
      `\${UNLOCKED_BIND:-127.0.0.1}:\${UNLOCKED_GRAFANA_PORT:-3000}:3000`,
    ]);
  });

  it("keeps what each of them knows in a volume of its own", () => {
    const mounts = Object.values(services).map((service) => service.volumes);
    expect(mounts).toEqual([["record:/record"], ...layers.map((layer) => [`${layer}:/state`])]);
    expect(Object.keys(volumes)).toEqual(["record", "metrics", ...layers]);
  });

  it("builds one image, once", () => {
    expect(new Set(Object.values(services).map((service) => service.image)).size).toBe(1);
    expect(Object.values(services).filter((service) => service.build)).toHaveLength(1);
  });

  it("says only what both generations of compose understand", () => {
    const keys = Object.values({ ...all, ...observers }).flatMap(Object.keys);
    expect(keys.filter((key) => !understood.has(key))).toEqual([]);
  });

  it("gives nobody more rights than learning takes", () => {
    for (const service of Object.values({ ...all, ...observers })) {
      expect(service).toMatchObject({
        init: true,
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      expect(service).not.toHaveProperty("user");
    }
    for (const service of Object.values(services)) {
      expect(service.networks).toEqual(["mesh"]);
      expect(service).not.toHaveProperty("ports");
    }
  });
});

describe("what a worker in a container is told", () => {
  it.each([
    ["nothing more", []],
    ["a shorter run", ["run.batches=100", "run.checkpointEvery=20"]],
    ["a value with spaces and braces", ["learning.layer.schedule={ kind: step, at: [10], factor: 0.5 }"]],
  ])("makes the same config: %s", (_, set) => {
    const { config, services } = make("configs/mnist.yaml", set);
    for (const service of Object.values(services)) expect(configTold(service)).toEqual(config);
  });

  it("has no dollar that compose would take for a variable's", () => {
    const { services } = make("configs/mnist.yaml", [], ["name=$HOME", `x='\${A:-b}'`]);
    expect(told(services.layer1!).flags["--set"]).toEqual(["name=$HOME", `x='\${A:-b}'`]);
  });

  it("names the run after the config unless the environment does", () => {
    const { services } = make("configs/two-rings.yaml");
    expect(told(services.layer1!).flags["--run"]).toEqual(["two-rings"]);
    expect(told(services.layer1!, { UNLOCKED_RUN: "second" }).flags["--run"]).toEqual(["second"]);
  });

  it.each([
    ["mnist", "path: downloads/images"],
    ["idx", "path: downloads/images, examples: 60000, pixels: 784, classes: 10"],
    ["cifar-10", "path: downloads/images"],
  ])("is a folder of the container when the data lie in one of ours: %s", (kind, rest) => {
    const { services } = make("configs/mnist.yaml", [`data={set: ${kind}, ${rest}}`]);
    for (const service of Object.values(services)) {
      expect(service.volumes).toContain("./downloads/images:/data:ro");
      expect(configTold(service).data).toMatchObject({ set: kind, path: "/data" });
    }
  });
});

describe("a compose file with a secret", () => {
  it.each([
    ["secret", "./secret"],
    ["../kept/of a $run", "./../kept/of a $$run"],
    ["/etc/unlocked/secret", "/etc/unlocked/secret"],
  ])("lends %s to every worker, tells it where, and says nowhere what it is", (secretFile, file) => {
    const { config } = loadConfig("configs/two-rings.yaml");
    const text = composeFile(config, { configPath: "configs/two-rings.yaml", secretFile });
    const { services, secrets } = parse(text, { merge: true });
    expect(secrets).toEqual({ unlocked: { file } });
    for (const stranger of ["prometheus", "grafana"]) {
      expect(services[stranger]).not.toHaveProperty("secrets");
      delete services[stranger];
    }
    for (const service of Object.values(services)) {
      expect(service).toMatchObject({
        secrets: ["unlocked"],
        environment: { UNLOCKED_SECRET_FILE: "/run/secrets/unlocked" },
      });
    }
    expect(text).toContain("--secret-file ");
  });
});

describe("a compose file", () => {
  it("says how it was made, overrides and all, in comments only", () => {
    const set = ["run.batches=100", "name=it's\nservices: {}"];
    const { text, services } = make("configs/mnist.yaml", [], set);
    expect(text).toContain(
      "# Made from the config, and made again by\n" +
        "#   npm run --silent unlocked -- compose configs/mnist.yaml --set run.batches=100" +
        " --set 'name=it'\\''s\n# services: {}' > docker-compose.yml\n",
    );
    expect(Object.keys(services)).toHaveLength(6);
  });

  it("allows a wide layer more memory", () => {
    const narrow = make("configs/mnist.yaml");
    const wide = make("configs/mnist.yaml", ["layers.1.outputs=4096"]);
    // Of layer 2: 4096 × (256 + 4096 + 10) weights, with their gradients and Adam's two moments: 273 MiB.
    expect(mebibytes(wide.services.layer2!)).toBeGreaterThan(mebibytes(narrow.services.layer2!) + 273);
  });

  it.each(["mnist.yaml", "../configs/mnist.yaml", "/tmp/configs/mnist.yaml", "configs/../mnist.yaml"])(
    "is refused for a config that the image does not hold: %s",
    (configPath) => {
      const { config } = loadConfig("configs/mnist.yaml");
      expect(() => composeFile(config, { configPath })).toThrow(
        `Cannot make a compose file: the image holds what is in configs/, not ${configPath}`,
      );
    },
  );
});

describe("how the engine asks whether a worker is healthy", () => {
  const { services } = make("configs/mnist.yaml");

  it.each([
    [200, "is healthy"],
    [503, "is not"],
    [404, "is not"],
  ])("a worker that answers %s %s", async (status, verdict) => {
    // Nobody but who names it is answered, as by a hub.
    const server = createServer(({ url, headers }, response) => {
      const isAnswered = url === "/healthz" && headers.host === "127.0.0.1:7400";
      response.writeHead(isAnswered ? status : 404).end("ok\n");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    expect(await askHealth(services.layer1!, port)).toBe(verdict);
    await once(server.close(), "close");
    // Nobody listens any more.
    expect(await askHealth(services.layer1!, port)).toBe("is not");
  });
});
