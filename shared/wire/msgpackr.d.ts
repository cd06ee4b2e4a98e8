/** msgpackr ships types for its main entry only; this one exports the same names. */
declare module "msgpackr/index-no-eval" {
  export { isNativeAccelerationEnabled, Packr, Unpackr } from "msgpackr";
}
