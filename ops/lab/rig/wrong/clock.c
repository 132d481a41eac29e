/* Sets a server's wall clock wrong by as much as a file says (loaded by LD_PRELOAD); monotonic clocks and sleep stay right.
 *
 * libfaketime will not do: Redis' allocator asks for the time before libfaketime is ready, and Redis does not start.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

/* Nanoseconds, mapped from the file. */
static const volatile long long *ahead;
static int looked;

static long long off(void)
{
    if (!looked && environ) { /* null until the C library is ready */
        const char *path = getenv("CHAOS_SERVER_CLOCK");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        looked = 1;
        if (file >= 0) {
            void *mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
            ahead = mapped == MAP_FAILED ? NULL : mapped;
            close(file);
        }
    }
    return ahead ? *ahead : 0;
}

int clock_gettime(clockid_t clock, struct timespec *to)
{
    long failed = syscall(SYS_clock_gettime, clock, to);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        long long now = to->tv_sec * SECOND + to->tv_nsec + off();
        to->tv_sec = now / SECOND;
        to->tv_nsec = now % SECOND;
    }
    return (int)failed;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
