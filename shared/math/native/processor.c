// What the library says of itself, and what compilers turn loops into. Compiled without any extension.
#include <stdint.h>
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#if defined(__x86_64__)
static void cpuid(uint32_t leaf, uint32_t r[4]) {
  __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static int hasAll(uint32_t found, uint32_t wanted) { return (found & wanted) == wanted; }

enum { FMA = 1 << 12, OSXSAVE = 1 << 27, AVX = 1 << 28, AVX2 = 1 << 5 };
enum { F = 1 << 16, DQ = 1 << 17, BW = 1 << 30 };
static const uint32_t VL = 1u << 31;
/** Registers that the system saves: of AVX; of AVX-512 too. */
enum { SAVES_AVX = 0x06, SAVES_AVX512 = 0xe6 };

/** What this processor and its system can: 0 nothing of ours, 1 AVX2 with FMA, 2 AVX-512 too, 3 NEON. */
EXPORT int32_t processor(void) {
  uint32_t r[4], low, high;
  cpuid(0, r);
  if (r[0] < 7) return 0;
  cpuid(1, r);
  if (!hasAll(r[2], FMA | OSXSAVE | AVX)) return 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  cpuid(7, r);
  if (!hasAll(low, SAVES_AVX) || !hasAll(r[1], AVX2)) return 0;
  return hasAll(low, SAVES_AVX512) && hasAll(r[1], F | DQ | BW | VL) ? 2 : 1;
}
#else
EXPORT int32_t processor(void) { return 3; }
#endif

void *memset(void *to, int value, __SIZE_TYPE__ count) {
  char *at = to;
  for (; count; count--) {
    *at++ = (char)value;
    __asm__ volatile("" ::: "memory");  // Else a call of itself.
  }
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, __SIZE_TYPE__ count) {
  char *at = to;
  for (const char *source = from; count; count--) {
    *at++ = *source++;
    __asm__ volatile("" ::: "memory");
  }
  return to;
}
