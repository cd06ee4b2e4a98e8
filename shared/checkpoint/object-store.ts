/**
 * A place of named objects away from this machine, all under one prefix. An object is whole or not there; whatever was
 * acknowledged is found by every later `get` and `list`, whoever asks. Every call may reject; what it was about may then have
 * happened or not, now or later.
 */
export interface ObjectStore {
  /** For people: "s3://bucket/prefix". */
  readonly name: string;
  /** What is called `folder`/… with no further slash, without the folder. */
  list(folder: string): Promise<string[]>;
  /** Rejects with code ENOENT if there is none. */
  get(key: string): Promise<Uint8Array>;
  /** When it was written, by the store's clock in milliseconds. */
  writtenAt(key: string): Promise<number>;
  /** Replaces what had that name. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** False if there is one already, as far as the store can tell: some replace it all the same. */
  create(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Is content if there is none. */
  remove(key: string): Promise<void>;
}

/** Says what was asked of which store, and what it answered. `isHopeless`: it would answer alike however often it is asked. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: string;
  readonly isHopeless: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { readonly code: string; readonly isHopeless: boolean },
  ) {
    super(message, options);
    this.code = options.code;
    this.isHopeless = options.isHopeless;
  }
}
