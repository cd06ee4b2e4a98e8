import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  argumentsOf,
  readWorkerOptions,
  type WorkerOptions,
  WorkerOptionsError,
  workerHelp,
} from "../../../services/worker/options.ts";

const usual = ["--config", "c.yaml", "--run", "r", "--state", "s", "--listen", "127.0.0.1:7400"];

describe("a worker's flags", () => {
  it("say all that a layer is told", () => {
    const argv = [...usual, "--layer", "2", "--successor", "ws://layer3:7400", "--set", "seed=2"];
    expect(readWorkerOptions(argv, "layer")).toEqual({
      config: "c.yaml",
      set: ["seed=2"],
      run: "r",
      state: "s",
      folders: [{ folder: "s", url: undefined }],
      host: "127.0.0.1",
      port: 7400,
      successor: "ws://layer3:7400",
      secretFile: undefined,
      tlsFiles: undefined,
      hub: undefined,
      control: false,
      logFormat: "json",
      layer: 2,
      record: undefined,
    });
  });

  it("say where a folder goes to as well, and take a store alone", () => {
    const read = (...argv: string[]) => readWorkerOptions([...usual, "--layer", "1", ...argv], "layer");
    const url = "s3://bucket/some/prefix";
    expect(read("--state", url)).toMatchObject({ state: "s", folders: [{ folder: "s", url }] });
    const alone = readWorkerOptions(
      [...usual.filter((each) => each !== "s" && each !== "--state"), "--layer", "1", "--state", url],
      "layer",
    );
    expect(alone.folders).toEqual([{ folder: alone.state, url }]);
    expect(alone.state).toContain(encodeURIComponent(url));
    expect(() => read("--state", "t")).toThrow(
      "--state is given as s and t, expected one folder, one s3://bucket/prefix or both",
    );
    expect(() => read("--state", "s3:///x")).toThrow('--state is "s3:///x", expected s3://bucket/prefix');
  });

  it("may leave out the successor: the head has none", () => {
    expect(readWorkerOptions([...usual, "--layer", "4"], "layer").successor).toBeUndefined();
  });

  it("say where the secret is, before the environment does", () => {
    const read = (argv: readonly string[], file?: string) =>
      readWorkerOptions([...usual, "--layer", "1", ...argv], "layer", { UNLOCKED_SECRET_FILE: file })
        .secretFile;
    expect(read([])).toBeUndefined();
    expect(read([], "")).toBeUndefined();
    expect(read([], "/run/secrets/unlocked")).toBe("/run/secrets/unlocked");
    expect(read(["--secret-file", "mine"], "/run/secrets/unlocked")).toBe("mine");
  });

  it("name all three files of TLS or none, and dial accordingly", () => {
    const read = (...argv: string[]) => readWorkerOptions([...usual, "--layer", "1", ...argv], "layer");
    const tls = ["--tls-cert", "c.pem", "--tls-key", "c.key", "--tls-ca", "ca.pem"];
    const options = read("--successor", "wss://layer2:7400", ...tls);
    expect(options.tlsFiles).toEqual({ certificate: "c.pem", key: "c.key", authority: "ca.pem" });
    expect(() => read(...tls.slice(0, 2))).toThrow(
      "Cannot start: --tls-key is missing beside the other flags of TLS; --tls-ca is missing beside",
    );
    expect(() => read("--successor", "ws://layer2:7400", ...tls)).toThrow(
      'Cannot start: --successor is "ws://layer2:7400", expected wss://host:port, as the links are encrypted',
    );
    for (const url of ["wss://layer2:7400", "layer2:7400", "ws://", "http://layer2:7400"]) {
      expect(() => read("--successor", url)).toThrow(`--successor is "${url}", expected ws://host:port`);
    }
  });

  it("say whom to tell, and whether to obey, before the environment does", () => {
    const read = (argv: readonly string[], hub?: string, control?: string) => {
      const environment = { UNLOCKED_HUB: hub, UNLOCKED_CONTROL: control };
      const options = readWorkerOptions([...usual, "--layer", "1", ...argv], "layer", environment);
      return [options.hub, options.control];
    };
    expect(read([])).toEqual([undefined, false]);
    expect(read([], "", "0")).toEqual([undefined, false]);
    expect(read([], "ws://hub:7500", "1")).toEqual(["ws://hub:7500", true]);
    expect(read(["--hub", "ws://mine:1", "--control"], "ws://hub:7500")).toEqual(["ws://mine:1", true]);
  });

  it("take a hub over TLS only with the files of TLS", () => {
    const read = (hub: string) => () => readWorkerOptions([...usual, "--layer", "1", "--hub", hub], "layer");
    expect(read("wss://hub:7500")).toThrow('--hub is "wss://hub:7500", which needs --tls-cert');
    expect(read("http://hub:7500")).toThrow('--hub is "http://hub:7500", expected ws://host:port or wss://');
  });

  it("list every mistake at once", () => {
    const argv = ["--listen", "7400", "--layer", "two", "--log-format", "xml"];
    expect(() => readWorkerOptions(argv, "layer")).toThrow(
      new WorkerOptionsError(
        'Cannot start: --config is missing; --run is missing; --state is missing; --listen is "7400", expected host:port; ' +
          '--log-format is "xml", expected json or pretty; --layer is "two", expected 1, 2, 3, …',
      ),
    );
  });

  it("name what a source lacks", () => {
    expect(() => readWorkerOptions(usual, "source")).toThrow(
      "Cannot start: --successor is missing; --record is missing",
    );
  });

  it("refuse a flag that nobody knows", () => {
    expect(() => readWorkerOptions([...usual, "--layr", "2"], "layer")).toThrow(/Cannot start: .*--layr/);
  });

  it("refuse a port that cannot be", () => {
    const argv = [...usual.slice(0, -1), "127.0.0.1:99999", "--layer", "1"];
    expect(() => readWorkerOptions(argv, "layer")).toThrow('--listen is "127.0.0.1:99999"');
  });
});

describe("flags that are written", () => {
  const text = fc.string({ minLength: 1 });
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  // What begins with s3:// is no folder.
  const folder = text.filter((path) => !path.startsWith("s3:"));
  const url = maybe(fc.stringMatching(/^s3:\/\/[a-z]{3,9}\/[a-z/]+$/));
  const files = fc.record({ certificate: text, key: text, authority: text });
  const common = {
    ...{ config: text, set: fc.array(text), run: text, state: folder },
    ...{ host: fc.stringMatching(/^[^\n]+$/), port: fc.integer({ min: 0, max: 65535 }) },
    ...{ secretFile: maybe(text), control: fc.boolean() },
    logFormat: fc.constantFrom("json" as const, "pretty" as const),
  };
  const address = fc.stringMatching(/^[a-z0-9.-]+:[0-9]{1,5}$/);
  const all = fc.record({
    ...{ ...common, address, tlsFiles: maybe(files), hub: maybe(address), trace: maybe(text) },
    ...{ layer: fc.integer({ min: 1, max: 9999 }), stateUrl: url, recordUrl: url },
  });

  it.each(["layer", "source"] as const)("are read as what they were written from (%s)", (role) => {
    fc.assert(
      fc.property(all, ({ address: next, stateUrl, recordUrl, layer, trace, hub, ...rest }) => {
        const common = {
          ...rest,
          successor: `${rest.tlsFiles ? "wss" : "ws"}://${next}`,
          hub: hub && `ws://${hub}`,
        };
        const state = { folder: rest.state, url: stateUrl };
        const record = { folder: `record of ${rest.state}`, url: recordUrl };
        const options: WorkerOptions =
          role === "layer"
            ? { ...common, layer, trace, record: undefined, folders: [state] }
            : {
                ...common,
                layer: undefined,
                trace: undefined,
                record: record.folder,
                folders: [state, record],
              };
        expect(readWorkerOptions(argumentsOf(options), role)).toEqual(options);
      }),
    );
  });

  it("are all in the help of their role, and of no other", () => {
    const flags = (role: "layer" | "source") => workerHelp(role).match(/--[a-z-]+/g)!;
    expect(flags("layer")).toEqual(
      expect.arrayContaining(["--layer", "--trace", "--successor", "--control"]),
    );
    expect(flags("source")).toContain("--record");
    expect(flags("source")).not.toContain("--layer");
  });
});
