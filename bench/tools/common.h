/* Shared by the load tools: the clock, growable buffers, sockets. Linux only, no dependencies. */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* CLOCK_MONOTONIC is time.monotonic_ns() of Python, so stamps of two processes on one host can be subtracted. */
static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline void die(const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    exit(1);
}

typedef struct { /* the live bytes are data[begin..end) */
    char *data;
    size_t begin, end, room;
} buffer;

static inline void buffer_reserve(buffer *b, size_t more) {
    if (b->begin == b->end) b->begin = b->end = 0;
    if (b->end + more <= b->room) return;
    if (b->begin) {
        memmove(b->data, b->data + b->begin, b->end - b->begin);
        b->end -= b->begin;
        b->begin = 0;
    }
    if (b->end + more <= b->room) return;
    b->room = (b->end + more) * 2;
    b->data = realloc(b->data, b->room);
    if (!b->data) die("out of memory");
}

static inline void buffer_add(buffer *b, const void *bytes, size_t count) {
    buffer_reserve(b, count);
    memcpy(b->data + b->end, bytes, count);
    b->end += count;
}

/* Read all there is: 0 when it would block, -1 when the peer is gone. */
static inline int buffer_fill(buffer *b, int fd) {
    for (;;) {
        buffer_reserve(b, 65536);
        ssize_t count = read(fd, b->data + b->end, b->room - b->end);
        if (count > 0) b->end += (size_t)count;
        else if (count == 0) return -1;
        else if (errno != EINTR) return errno == EAGAIN ? 0 : -1;
    }
}

/* Write what the socket takes: 0 when done or when it would block, -1 when the peer is gone. */
static inline int buffer_flush(buffer *b, int fd) {
    while (b->begin < b->end) {
        ssize_t count = write(fd, b->data + b->begin, b->end - b->begin);
        if (count > 0) b->begin += (size_t)count;
        else if (errno != EINTR) return errno == EAGAIN ? 0 : -1;
    }
    return 0;
}

static inline void socket_options(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Listen on a free port of 127.0.0.1; says which on standard output. */
static inline int listen_loopback(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (void *)&at, sizeof at) || listen(fd, 1024) || getsockname(fd, (void *)&at, &size))
        die("cannot listen: %s", strerror(errno));
    socket_options(fd);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static inline int connect_loopback(long port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (void *)&to, sizeof to)) die("cannot connect to %ld: %s", port, strerror(errno));
    socket_options(fd);
    return fd;
}

/* The length of the first whole request or answer, 0 when there is none yet. */
static inline size_t whole_message(buffer *in) {
    char *text = in->data + in->begin;
    size_t size = in->end - in->begin, body = 0;
    char *end = size ? memmem(text, size, "\r\n\r\n", 4) : NULL;
    if (!end) return 0;
    for (char *line = text; line && line < end; line = memmem(line, (size_t)(end - line), "\r\n", 2)) {
        if (line != text) line += 2;
        if (!strncasecmp(line, "content-length:", 15)) body = (size_t)atol(line + 15);
        line += 1;
    }
    size_t whole = (size_t)(end + 4 - text) + body;
    return whole <= size ? whole : 0;
}

static inline const char *word_option(int argc, char **argv, const char *name, const char *otherwise) {
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], name)) return argv[i + 1];
    return otherwise;
}

static inline long number_option(int argc, char **argv, const char *name, long otherwise) {
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], name)) return atol(argv[i + 1]);
    return otherwise;
}
