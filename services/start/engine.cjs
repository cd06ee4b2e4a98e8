// What V8 is told about a program of the project; measured in docs/decisions.md.
const { setFlagsFromString } = require("node:v8");

// What is young here dies young: buffers of frames, which the heap frees only when it is collected. Left to grow, the place
// for the young lets tens of megabytes of them wait: a layer of 134 MB has 93 MB with this, and is no slower.
setFlagsFromString("--semi-space-growth-factor=1");
// To wake other threads for a young collection of a megabyte costs as much as the work: 1.8 ms with them, 1.0 without.
setFlagsFromString("--no-parallel-scavenge");
setFlagsFromString("--no-concurrent-array-buffer-sweeping");
// A layer calls each of its functions a few times a batch. With the default of 67,584 bytes of bytecode V8 has optimized
// the last of them after 2,500 batches, half of what `npm start` trains; with this, after 1,300. Newer engines count calls.
if (process.versions.v8.startsWith("11.")) setFlagsFromString("--interrupt-budget=16000");
