// All kernels of one path. To add one: its KERNEL in a header here, and a line in the table of library.ts.
#include "batch-norm.h"
#include "casts.h"
#include "elementwise.h"
#include "losses.h"
#include "multiply.h"
#include "optimizers.h"
#include "sequences.h"
#include "sums.h"
