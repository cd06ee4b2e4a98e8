// Runs every kernel of one path on numbers drawn at random, each array between pages that nobody may touch, and prints a
// digest of all that came out: digests LIBRARY PATH SHAPES. The same digest is expected of every path on every processor.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void Kernel(double *record);

static void *library;
static const char *path;
static char *base;
static double *record;
static int64_t page;
static uint64_t state = 1, digest = 0xcbf29ce484222325u;

static uint32_t drawn(uint32_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(((state >> 33) * below) >> 31);
}

/** Now and then what goes wrong first. */
static float number(void) {
  static const float special[] = {0, -0.0f, 1e-40f, -1e-45f, 0x1p-126f, 65504, 65520, -3.39e38f, 87, -88, 0.625f};
  if (drawn(64) == 0) return special[drawn(11)];
  if (drawn(512) == 0) return drawn(2) ? __builtin_inff() : __builtin_nanf("");
  return ((float)drawn(1 << 24) / (1 << 23) - 1) * (drawn(8) ? 1 : 100);
}

/** An array of `bytes` that ends where a forbidden page begins, or begins where one ends. */
typedef struct { char *at; int64_t bytes; } Array;

enum { MOST_ARRAYS = 12 };
static Array arrays[MOST_ARRAYS];
static int count;

/** Each array has pages of its own in the arena, forbidden ones around them. */
static double array(int64_t bytes, int atEnd) {
  static int64_t next;
  if (count == 0) next = 2 * page;
  const int64_t room = (bytes + page - 1) / page * page;
  char *start = base + next;
  if (room > 0 && mprotect(start, room, PROT_READ | PROT_WRITE)) perror("mprotect"), exit(2);
  char *at = atEnd ? start + room - bytes : start;
  arrays[count++] = (Array){at, bytes};
  next += room + page;
  return at - base;
}

static void draw(int index) {
  float *floats = (float *)arrays[index].at;
  for (int64_t i = 0; i < arrays[index].bytes / 4; i++) floats[i] = number();
}

/** Bit for bit, but for NaN: they differ between processors, and say nothing. */
static void digestFloats(int index) {
  for (int64_t i = 0; i < arrays[index].bytes / 4; i++) {
    float value;
    uint32_t bits;
    memcpy(&value, arrays[index].at + 4 * i, 4);
    memcpy(&bits, &value, 4);
    digest = (digest ^ (value != value ? 0x7fc00000 : bits)) * 0x100000001b3u;
  }
}

static void digestDouble(double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  digest = (digest ^ (value != value ? 0x7ff8000000000000u : bits)) * 0x100000001b3u;
}

static void digestBytes(int index) {
  for (int64_t i = 0; i < arrays[index].bytes; i++) digest = (digest ^ (uint8_t)arrays[index].at[i]) * 0x100000001b3u;
}

static Kernel *kernelOf(const char *name) {
  char symbol[100];
  snprintf(symbol, sizeof symbol, "%s_%s", path, name);
  Kernel *kernel = (Kernel *)dlsym(library, symbol);
  if (!kernel) fprintf(stderr, "no %s\n", symbol), exit(2);
  return kernel;
}

/**
 * Parameters by a letter each: f floats of rows × columns, c of columns, r of rows, s 16 bits and b bytes of rows × columns,
 * R rows, C columns, N their product, 1 a number; q floats of columns × columns, p of 2 × rows × 3 × columns; 2, 3; d four
 * doubles.
 */
static void run(const char *name, const char *parameters, int rows, int columns) {
  const int atEnd = drawn(2), length = rows * columns;
  count = 0;
  int kinds[MOST_ARRAYS];
  for (int i = 0; parameters[i]; i++) {
    const char kind = parameters[i];
    const int before = count;
    switch (kind) {
      case 'f': record[i] = array(4 * length, atEnd); break;
      case 'c': record[i] = array(4 * columns, atEnd); break;
      case 'r': record[i] = array(4 * rows, atEnd); break;
      case 's': record[i] = array(2 * length, atEnd); break;
      case 'b': record[i] = array(length, atEnd); break;
      case 'q': record[i] = array(4 * columns * columns, atEnd); break;
      case 'd': record[i] = array(32, atEnd); break;
      case 'p': record[i] = array(24 * length, atEnd); break;
      case 'R': record[i] = rows; break;
      case 'C': record[i] = columns; break;
      case 'N': record[i] = length; break;
      case '2': case '3': record[i] = kind - '0'; break;
      default: record[i] = 0.0625 * (1 + drawn(16));
    }
    if (count == before) continue;
    kinds[before] = kind;
    if (kind != 's' && kind != 'b') draw(before);
    else for (int64_t j = 0; j < arrays[before].bytes; j++) arrays[before].at[j] = (char)drawn(256);
  }
  kernelOf(name)(record);
  for (int i = 0; i < count; i++)
    if (kinds[i] == 'd') for (int sum = 0; sum < 4; sum++) digestDouble(((double *)arrays[i].at)[sum]);
    else if (kinds[i] == 's' || kinds[i] == 'b') digestBytes(i);
    else digestFloats(i);
  if (!strcmp(name, "isWithin") || !strcmp(name, "softmaxCrossEntropy")) digestDouble(record[0]);
}

static void multiply(int number, int64_t scratchBytes) {
  const int large = number % 50, manner = number % 8, atEnd = drawn(2);
  const int rows = large == 10 ? 1 + drawn(400) : drawn(40), columns = large == 20 ? 1 + drawn(1100) : drawn(70);
  const int inner = large == 30 ? 200 + drawn(700) : large == 40 ? 512 : drawn(40);
  count = 0;
  record[0] = array(4 * rows * inner, atEnd);
  record[1] = array(4 * inner * columns, atEnd);
  record[2] = array(4 * rows * columns, atEnd);
  record[3] = rows;
  record[4] = inner;
  record[5] = columns;
  record[6] = manner & 1;
  record[7] = manner >> 1 & 1;
  record[8] = manner >> 2 & 1;
  for (int i = 0; i < 3; i++) draw(i);
  record[9] = array(scratchBytes, atEnd);
  kernelOf("multiply")(record);
  for (int i = 0; i < 3; i++) digestFloats(i);
}

/** Each array in forbidden memory again. */
static void forbid(int64_t arena) {
  if (mprotect(base + page, arena - page, PROT_NONE)) perror("mprotect"), exit(2);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  path = argv[2];
  library = dlopen(argv[1], RTLD_NOW);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 2;
  page = sysconf(_SC_PAGESIZE);
  const int64_t arena = 64 << 20;
  base = mmap(0, arena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED || mprotect(base, page, PROT_READ | PROT_WRITE)) return perror("mmap"), 2;
  record = (double *)(base + 64);
  record[15] = 64;
  kernelOf("scratchLength")(record);
  const int64_t scratchBytes = 4 * (int64_t)record[0];
  static const char *const kernels[][2] = {
    {"addBias", "fcRC"}, {"sumRows", "fcRC"}, {"subtract", "fffN"}, {"relu", "ffN"}, {"sigmoid", "ffN"}, {"tanh", "ffN"},
    {"reluBackward", "fffN"}, {"sigmoidBackward", "fffN"}, {"tanhBackward", "fffN"}, {"batchNormForward", "fffccccRC1"},
    {"batchNormBackward", "fffccccRC1"}, {"adam", "ffffN111111"}, {"sgd", "fffN111"}, {"isWithin", "fN1"},
    {"floatsToHalves", "fsN"}, {"halvesToFloats", "sfN"}, {"floatsToBfloats", "fsN"}, {"bfloatsToFloats", "sfN"},
    {"floatsToInts", "fbrRC"}, {"intsToFloats", "brfRC"}, {"bytesToFloats", "b1fN"},
    {"add", "fffN"}, {"gelu", "ffN"}, {"geluBackward", "fffN"}, {"layerNormForward", "fffrcRC1"},
    {"layerNormBackward", "fffrccRC"}, {"causalSoftmax", "qC1"}, {"causalSoftmaxBackward", "qqC1"}, {"swapPieces", "pp2R3C"},
    {"scale", "f1N"}, {"compare", "fffNd"}, {"softmaxCrossEntropy", "fffRC"},
  };
  const int shapes = atoi(argv[3]);
  for (int i = 0; i < shapes; i++) {
    multiply(i, scratchBytes);
    forbid(arena);
    const int rows = drawn(20), columns = i % 20 == 0 ? drawn(300) : drawn(40);
    for (unsigned k = 0; k < sizeof kernels / sizeof *kernels; k++) {
      run(kernels[k][0], kernels[k][1], rows, columns);
      forbid(arena);
    }
  }
  printf("%016llx\n", (unsigned long long)digest);
  return 0;
}
