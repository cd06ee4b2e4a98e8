/** The first failed dials get a line of log, then ever fewer: an absence of an hour should not fill the log. */
export function isWorthALine(attempt: number): boolean {
  return attempt <= 3 || Number.isInteger(Math.log2(attempt));
}
