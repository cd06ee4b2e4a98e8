import { doubles, floats, longs, npyBytes } from "../../support/data-files.ts";
import { type Case, refused } from "./training.ts";

const NPY = "{ set: npy, path: HERE/x.npy, labels: HERE/y.npy }";
const y = npyBytes("<i8", [4], longs(0, 1, 0, 1));
const x = npyBytes("<f4", [4, 2], floats(1, 2, 3, 4, 5, 6, 7, 8));
const arrays: readonly Case[] = [
  ["no such file", NPY, { "y.npy": y }, "Cannot read x.npy: no such file"],
  ["no labels", NPY, { "x.npy": x }, "Cannot read y.npy: no such file"],
  ["a text", NPY, { "x.npy": "1,2\n3,4\n5,6\n", "y.npy": y }, "x.npy: it is no .npy file"],
  [
    "a file cut within its header",
    NPY,
    { "x.npy": x.subarray(0, 40), "y.npy": y },
    "it ends within its header",
  ],
  [
    "a file cut within its numbers",
    NPY,
    { "x.npy": x.subarray(0, x.length - 3), "y.npy": y },
    "bytes, its header promises",
  ],
  [
    "a version from the future",
    NPY,
    { "x.npy": Buffer.concat([x.subarray(0, 6), Buffer.from([9]), x.subarray(7)]), "y.npy": y },
    "its format has version 9",
  ],
  [
    "integers of 16 bits",
    NPY,
    { "x.npy": npyBytes("<i2", [4, 2], new Uint8Array(16)), "y.npy": y },
    "its numbers are <i2, expected <f4, <f8, |u1 or <i8",
  ],
  [
    "big-endian floats",
    NPY,
    { "x.npy": npyBytes(">f4", [4, 2], new Uint8Array(32)), "y.npy": y },
    "its numbers are >f4",
  ],
  [
    "Python objects",
    NPY,
    { "x.npy": npyBytes("|O", [4, 2], new Uint8Array(64)), "y.npy": y },
    "its numbers are |O",
  ],
  [
    "Fortran order",
    NPY,
    { "x.npy": npyBytes("<f4", [4, 2], floats(1, 2, 3, 4, 5, 6, 7, 8), "True"), "y.npy": y },
    "it is in Fortran order",
  ],
  ["0 rows", NPY, { "x.npy": npyBytes("<f4", [0, 2], floats()), "y.npy": y }, "it has 0 rows"],
  ["rows of nothing", NPY, { "x.npy": npyBytes("<f4", [4, 0], floats()), "y.npy": y }, "its rows are empty"],
  ["a single number", NPY, { "x.npy": npyBytes("<f4", [], floats(1)).subarray(0), "y.npy": y }, /x.npy/],
  [
    "labels of other rows",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("<i8", [3], longs(0, 1, 0)) },
    "it has 4 rows, y.npy has 3",
  ],
  [
    "NaN in a row",
    NPY,
    { "x.npy": npyBytes("<f4", [4, 2], floats(1, 2, 3, 4, 5, Number.NaN, 7, 8)), "y.npy": y },
    "x.npy: row 2, column 1 is NaN",
  ],
  [
    "infinity in a row",
    NPY,
    { "x.npy": npyBytes("<f8", [4, 1], doubles(1, 2, 3, Number.POSITIVE_INFINITY)), "y.npy": y },
    "x.npy: row 3, column 0 is Infinity",
  ],
  [
    "a class below 0",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("<i8", [4], longs(0, -1, 0, 1)) },
    "y.npy: row 1, column 0 is -1, expected a class from 0 to 255",
  ],
  [
    "a class that is no whole number",
    NPY.replace(" }", ", task: classes }"),
    { "x.npy": x, "y.npy": npyBytes("<f4", [4], floats(0, 1, 0.5, 1)) },
    "row 2, column 0 is 0.5",
  ],
  [
    "labels that are neither 0 nor 1",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("|u1", [4, 2], Uint8Array.of(0, 1, 1, 0, 3, 1, 0, 0)) },
    "row 2, column 0 is 3, expected 0 or 1",
  ],
  [
    "values that are always the same",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("<f4", [4], floats(2, 2, 2, 2)) },
    "column 0 is 2 in every training row",
  ],
];

refused("an array", arrays, [NPY, { "x.npy": x, "y.npy": y }]);
