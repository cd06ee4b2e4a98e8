import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

const OPEN = `
  import { openS3 } from "./shared/checkpoint/s3-store.ts";
  console.log(openS3("s3://bucket/prefix", process.env).name);
`;

it("a store is opened without a word of the SDK's about the Node it runs on", async () => {
  const { stdout, stderr } = await run(
    process.execPath,
    ["--import", "tsx", "--input-type", "module", "--eval", OPEN],
    { env: { ...process.env, AWS_REGION: "us-east-1" } },
  );
  expect({ stdout, stderr }).toEqual({ stdout: "s3://bucket/prefix\n", stderr: "" });
});
