/** Those that wait for something to come. */
export class Waiting {
  readonly #wakes = new Set<() => void>();

  /** Whether it is so by then; it is looked at again with every `wake`. */
  async until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    const end = performance.now() + withinMs;
    while (!isSo()) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#wakes.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#wakes.add(wake);
      });
    }
    return true;
  }

  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}
