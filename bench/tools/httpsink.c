/* A carrier's HTTP interface, as far as a sender sees it: answers every POST, and stamps when its request was whole.
 *
 *   httpsink [--delay-ms N]      prints its port; every answer is held back so long
 *
 * GET /_count answers how many came; GET /_dump?FILE writes u64 caller, u64 stamp for each. The caller is the seven
 * digits behind the first +1512 of the request: the callers of the bench have such numbers. */
#include "common.h"

#define MOST 1000000

typedef struct {
    int fd, held, closed; /* held: answers still to come, so the connection may not be freed */
    buffer in, out;
} connection;

typedef struct {
    uint64_t due;
    connection *to;
} late;

static uint64_t stamps[MOST][2];
static size_t count;
static late held[MOST];
static size_t held_begin, held_end;
static long delay_ms;

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n"
                             "{\"id\":\"m-1\",\"status\":\"accepted\"}";

static uint64_t caller_of(const char *text, size_t size) {
    const char *found = memmem(text, size, "+1512", 5);
    uint64_t value = 0;
    if (!found || found + 12 > text + size) return UINT64_MAX;
    for (int i = 5; i < 12; i++) value = value * 10 + (uint64_t)(found[i] - '0');
    return value;
}

static void free_if_done(connection *c) {
    if (!c->closed || c->held) return;
    free(c->in.data);
    free(c->out.data);
    free(c);
}

static void answer(connection *c) {
    buffer_add(&c->out, ANSWER, sizeof ANSWER - 1);
    buffer_flush(&c->out, c->fd);
}

static void tell(connection *c, const char *body) {
    char text[128];
    int size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    buffer_add(&c->out, text, (size_t)size);
    buffer_flush(&c->out, c->fd);
}

static void dump(const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file) return;
    fwrite(stamps, sizeof stamps[0], count, file);
    fclose(file);
}

static void take(connection *c, char *request, size_t size) {
    char word[256];
    if (sscanf(request, "GET /_dump?%255s", word) == 1) {
        dump(word);
        tell(c, "{}");
    } else if (!strncmp(request, "GET /_count", 11)) {
        snprintf(word, sizeof word, "%zu", count);
        tell(c, word);
    } else {
        uint64_t now = now_ns();
        if (count < MOST) {
            stamps[count][0] = caller_of(request, size);
            stamps[count++][1] = now;
        }
        if (!delay_ms) {
            answer(c);
        } else if (held_end < MOST) {
            held[held_end++] = (late){now + (uint64_t)delay_ms * 1000000, c};
            c->held++;
        }
    }
}

/* The length of the first whole request, 0 when there is none yet. */
static size_t whole_request(buffer *in) {
    char *text = in->data + in->begin;
    size_t size = in->end - in->begin, body = 0;
    char *end = memmem(text, size, "\r\n\r\n", 4);
    if (!end) return 0;
    for (char *line = text; line && line < end; line = memmem(line, (size_t)(end - line), "\r\n", 2)) {
        if (line != text) line += 2;
        if (!strncasecmp(line, "content-length:", 15)) body = (size_t)atol(line + 15);
        line += 1;
    }
    size_t whole = (size_t)(end + 4 - text) + body;
    return whole <= size ? whole : 0;
}

static void serve(connection *c) {
    int gone = buffer_fill(&c->in, c->fd);
    for (size_t size; (size = whole_request(&c->in));) {
        take(c, c->in.data + c->in.begin, size);
        c->in.begin += size;
    }
    if (buffer_flush(&c->out, c->fd) || gone) {
        close(c->fd);
        c->closed = 1;
        free_if_done(c);
    }
}

/* Send the answers whose time has come; returns the milliseconds to the next, -1 without one. */
static int send_late(void) {
    for (uint64_t now = now_ns(); held_begin < held_end && held[held_begin].due <= now; held_begin++) {
        connection *c = held[held_begin].to;
        c->held--;
        if (c->closed) free_if_done(c);
        else answer(c);
    }
    if (held_begin == held_end) return -1;
    uint64_t now = now_ns(), due = held[held_begin].due;
    return due > now ? (int)((due - now) / 1000000) + 1 : 0;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    delay_ms = number_option(argc, argv, "--delay-ms", 0);
    int listener = listen_loopback(), poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[128];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(poll, ready, 128, send_late());
        for (int i = 0; i < found; i++) {
            if (ready[i].data.ptr) {
                serve(ready[i].data.ptr);
                continue;
            }
            for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
                socket_options(fd);
                connection *c = calloc(1, sizeof *c);
                c->fd = fd;
                event.data.ptr = c;
                epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
