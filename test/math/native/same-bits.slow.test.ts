import { claimSameBits } from "./same-bits.ts";

claimSameBits(2000);
