// Another time of day, for tests: LD_PRELOAD this, with CLOCK_SHIFT seconds ahead (or behind, with a minus).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(which, now);
    const char *shift = getenv("CLOCK_SHIFT");
    if (result == 0 && which == CLOCK_REALTIME && shift) now->tv_sec += atol(shift);
    return result;
}
