// What V8 is told before a program of the project is loaded. What was compiled with other flags it takes for nothing.
const { setFlagsFromString } = require("node:v8");

// What is young here dies young: buffers of frames, outside the heap and freed when it is collected. Left to grow, the
// place for the young lets tens of megabytes of them wait. Measured: a layer of 134 MB has 93 MB, and is no slower.
setFlagsFromString("--semi-space-growth-factor=1");

// A young collection has a megabyte to look at: to wake other threads for it, and to wait for them where all cores are busy,
// takes as long as the work. Measured: 1.8 ms with them, 1.0 without, one every 50 batches of a layer.
setFlagsFromString("--no-parallel-scavenge");
setFlagsFromString("--no-concurrent-array-buffer-sweeping");

// A function is optimized once it was interrupted a few times, each after running so many bytes of its bytecode. A layer
// calls each of its own but a few times a batch: left at 67,584, the last of them are optimized after some 2,500 batches,
// half of what `npm start` trains; at this, after 1,300. Measured: docs/decisions.md.
setFlagsFromString("--interrupt-budget=16000");
