/** What was asked for cannot be done, and why; nothing was changed. Leads to exit code 78. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
