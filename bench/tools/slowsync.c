/* LD_PRELOAD: every fsync and fdatasync takes SLOWSYNC_US longer, to model a disk that really flushes. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void nap(void) {
    static long us = -1;
    if (us < 0) us = getenv("SLOWSYNC_US") ? atol(getenv("SLOWSYNC_US")) : 0;
    if (us > 0) usleep((useconds_t)us);
}

int fsync(int fd) {
    int result = (int)syscall(SYS_fsync, fd);
    nap();
    return result;
}

int fdatasync(int fd) {
    int result = (int)syscall(SYS_fdatasync, fd);
    nap();
    return result;
}
