import { type ConfigPath, type Mistake, mistake } from "./mistake.ts";

/** What is wrong and what is doubtful in a config, as it is found. */
export class Notes {
  readonly mistakes: Mistake[] = [];
  readonly warnings: Mistake[] = [];

  wrong(path: ConfigPath, value: unknown, what: string): void {
    this.mistakes.push(mistake(path, value, what));
  }

  doubtful(path: ConfigPath, value: unknown, what: string): void {
    this.warnings.push(mistake(path, value, what));
  }
}
