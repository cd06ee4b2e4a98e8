import { createRequire } from "node:module";
import type { S3Client } from "@aws-sdk/client-s3";
import { type ObjectStore, StoreError } from "./object-store.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** Attempts at one request, with a growing pause between them; the checkpoint after it is another request. */
const ATTEMPTS = 3;
const CONNECT_MS = 2000;
/** Without a byte either way. */
const SILENCE_MS = 5000;
/** One request, all attempts together. */
const PATIENCE_MS = 60_000;

export interface S3Environment {
  /** "0": the bucket is in the host's name, for stores that know no other way. */
  readonly UNLOCKED_S3_PATH_STYLE?: string | undefined;
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED?: string | undefined;
}

/**
 * What an address like s3://bucket/prefix leads to. Credentials, region and endpoint are where AWS's own programs look for
 * them: variables of the environment, and files that these name.
 */
export function openS3(url: string, environment: S3Environment = {}): ObjectStore {
  const { hostname: bucket, pathname } = new URL(url);
  // Tens of megabytes, which only a process with a store loads, and which no bundle is to hold.
  const sdk: Sdk = createRequire(import.meta.url)("@aws-sdk/client-s3");
  // Else it warns of Node 20 in nine lines, in the log of each worker. Our versions of both are chosen together.
  environment.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const client = new sdk.S3Client({
    forcePathStyle: environment.UNLOCKED_S3_PATH_STYLE !== "0",
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    // Others than AWS do not know its trailing checksums; a checkpoint has a digest of its own.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return new S3Store(sdk, client, bucket, pathname.replace(/^\/+|\/+$/g, ""));
}

class S3Store implements ObjectStore {
  readonly name: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(sdk: Sdk, client: S3Client, bucket: string, prefix: string) {
    this.name = `s3://${bucket}${prefix && `/${prefix}`}`;
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix && `${prefix}/`;
  }

  async list(folder: string): Promise<string[]> {
    const start = `${this.#prefix}${folder && `${folder}/`}`;
    const names: string[] = [];
    for (let token: string | undefined; ; ) {
      const asked = { Bucket: this.#bucket, Prefix: start, Delimiter: "/", ContinuationToken: token };
      const page = await this.#ask(`list ${folder}`, (options) =>
        this.#client.send(new this.#sdk.ListObjectsV2Command(asked), options),
      );
      names.push(...(page.Contents ?? []).map(({ Key = "" }) => Key.slice(start.length)));
      token = page.NextContinuationToken;
      if (token === undefined) return names;
    }
  }

  get(key: string): Promise<Uint8Array> {
    return this.#ask(`read ${key}`, async (options) => {
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(this.#object(key)), options);
      return Body!.transformToByteArray();
    });
  }

  async writtenAt(key: string): Promise<number> {
    const { LastModified } = await this.#ask(`look at ${key}`, (options) =>
      this.#client.send(new this.#sdk.HeadObjectCommand(this.#object(key)), options),
    );
    return LastModified?.getTime() ?? 0;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#put(key, bytes);
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#put(key, bytes, { IfNoneMatch: "*" });
      return true;
    } catch (error) {
      if ((error as StoreError).code === "EEXIST") return false;
      if ((error as StoreError).code !== "ENOSYS") throw error;
      await this.#put(key, bytes);
      return true;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#ask(`remove ${key}`, (options) =>
      this.#client.send(new this.#sdk.DeleteObjectCommand(this.#object(key)), options),
    );
  }

  async #put(key: string, bytes: Uint8Array, condition: { IfNoneMatch?: string } = {}): Promise<void> {
    const asked = { ...this.#object(key), Body: bytes, ContentLength: bytes.length, ...condition };
    await this.#ask(`write ${key}`, (options) =>
      this.#client.send(new this.#sdk.PutObjectCommand(asked), options),
    );
  }

  #object(key: string) {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${key}` };
  }

  async #ask<T>(what: string, ask: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await ask({ abortSignal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      // Without its cause, which holds the request, and that the credentials.
      throw new StoreError(
        `Cannot ${what} in ${this.name}: ${reasonOf(error as Answer)}`,
        kindOf(error as Answer),
      );
    }
  }
}

type Answer = Error & { readonly code?: string; readonly $metadata?: { readonly httpStatusCode?: number } };

/** Never more than the store said: no header, and so no credential. */
function reasonOf({ name, message, code, $metadata }: Answer): string {
  const status = $metadata?.httpStatusCode;
  const said = message && message !== "UnknownError" ? message : (code ?? "no answer");
  return `${status === undefined ? "" : `${status} `}${name === "Error" ? "" : `${name}: `}${said}`;
}

function kindOf({ name, $metadata }: Answer): { readonly code: string; readonly isHopeless: boolean } {
  const status = $metadata?.httpStatusCode ?? 0;
  if (name === "NoSuchKey" || name === "NotFound") return { code: "ENOENT", isHopeless: false };
  // 409: somebody else's is under way, and may be there first.
  if (status === 412 || (status === 409 && name === "ConditionalRequestConflict"))
    return { code: "EEXIST", isHopeless: false };
  if (status === 501) return { code: "ENOSYS", isHopeless: true };
  const isHopeless = [400, 401, 403, 404].includes(status) || name === "CredentialsProviderError";
  return { code: isHopeless ? "EACCES" : "ESTORE", isHopeless };
}
