/** What a layer is given for one batch; every array was made by the layer's kernels and holds at least these rows. */
export interface Example {
  readonly rows: number;
  /** rows × inputs. */
  readonly input: Float32Array;
  /** rows × labelFloats: the class of each position; or bits or values, one for each output. */
  readonly labels: Float32Array;
  /** rows × networkInputWidth: the network's own input, where a generator looks at it. Layer 1 takes its input for it. */
  readonly networkInput?: Float32Array;
}
