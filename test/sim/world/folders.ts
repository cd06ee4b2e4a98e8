/** What the run is called, and where each process keeps its files, on a machine of its own. */
export const RUN = "simulated";
export const STATE = "/state";
export const RECORD = "/record";
