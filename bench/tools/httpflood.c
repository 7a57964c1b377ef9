/* Load over HTTP: one request again and again, each with its own number, over connections that stay open.
 *
 *   httpflood --port P --request FILE --out FILE [--count N] [--first N] [--connections N] [--rate N]
 *
 * The request stands in a file as it goes over the wire; seven @ are where the number stands, two @ its last two digits.
 * Without a rate each connection asks again when it has its answer; with one, requests begin at their moment whatever
 * became of those before, and a number's time begins at that moment. The output file gets u64 number, begin, end, status
 * for each; standard output one line of JSON. It sleeps while nothing is to be done, to leave the cores to the others. */
#include "common.h"

#define DIGITS 7

typedef struct {
    int fd;
    long asked; /* which request waits for its answer here, -1 for none */
    buffer in, out;
} line;

typedef struct {
    uint64_t number, begun, done, status;
} stamp;

static stamp *stamps;
static line *lines;
static char *request;
static size_t request_size;
static long port, count, first, connections, rate, sent, done, bad;
static uint64_t started;

static void read_request(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die("cannot read %s", path);
    request = malloc(1 << 20);
    request_size = fread(request, 1, 1 << 20, file);
    fclose(file);
}

/* Put the number into a copy of the request. */
static void number_in(char *text, uint64_t number) {
    char digits[DIGITS + 2];
    snprintf(digits, sizeof digits, "%07u", (unsigned)(number % 10000000));
    for (char *at = text, *end = text + request_size; (at = memchr(at, '@', (size_t)(end - at)));) {
        if (end - at >= DIGITS && !memcmp(at, "@@@@@@@", DIGITS)) memcpy(at, digits, DIGITS), at += DIGITS;
        else if (end - at >= 2 && at[1] == '@') memcpy(at, digits + DIGITS - 2, 2), at += 2;
        else at++;
    }
}

static uint64_t due(long place) { return started + (rate ? (uint64_t)((double)place / (double)rate * 1e9) : 0); }

static void ask(line *l) {
    buffer_reserve(&l->out, request_size);
    memcpy(l->out.data + l->out.end, request, request_size);
    number_in(l->out.data + l->out.end, (uint64_t)(first + sent));
    l->out.end += request_size;
    stamps[sent].number = (uint64_t)(first + sent);
    stamps[sent].begun = rate ? due(sent) : now_ns();
    l->asked = sent++;
    buffer_flush(&l->out, l->fd);
}

static void answered(line *l, int status) {
    stamps[l->asked].done = now_ns();
    stamps[l->asked].status = (uint64_t)status;
    l->asked = -1;
    done++;
    bad += status < 200 || status > 299;
}

static void open_line(int poll, line *l) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
    l->fd = connect_loopback(port);
    l->in.begin = l->in.end = l->out.begin = l->out.end = 0;
    epoll_ctl(poll, EPOLL_CTL_ADD, l->fd, &event);
}

static void hear(int poll, line *l) {
    int gone = buffer_fill(&l->in, l->fd);
    size_t size = whole_message(&l->in);
    if (size && l->asked >= 0) {
        answered(l, atoi(l->in.data + l->in.begin + 9));
        l->in.begin += size;
    }
    if (gone) {
        if (l->asked >= 0) answered(l, 0);
        close(l->fd);
        open_line(poll, l);
    }
}

/* Ask on every free line whose moment has come. */
static void ask_all(void) {
    for (long i = 0; i < connections && sent < count; i++) {
        if (rate && due(sent) > now_ns()) return;
        if (lines[i].asked < 0) ask(&lines[i]);
    }
}

static struct timespec until_next(void) {
    uint64_t now = now_ns(), next = rate && sent < count ? due(sent) : now + 1000000000ull;
    int free_line = 0;
    for (long i = 0; i < connections; i++) free_line |= lines[i].asked < 0;
    if (!free_line) next = now + 1000000000ull;
    uint64_t wait = next > now ? next - now : 0;
    return (struct timespec){.tv_sec = (time_t)(wait / 1000000000ull), .tv_nsec = (long)(wait % 1000000000ull)};
}

static void write_out(const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file) die("cannot write %s", path);
    fwrite(stamps, sizeof *stamps, (size_t)sent, file);
    fclose(file);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    port = number_option(argc, argv, "--port", 0);
    count = number_option(argc, argv, "--count", 1000);
    first = number_option(argc, argv, "--first", 0);
    connections = number_option(argc, argv, "--connections", 64);
    rate = number_option(argc, argv, "--rate", 0);
    read_request(word_option(argc, argv, "--request", "request"));
    stamps = calloc((size_t)count, sizeof *stamps);
    lines = calloc((size_t)connections, sizeof *lines);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (long i = 0; i < connections; i++) lines[i].asked = -1, open_line(poll, &lines[i]);
    started = now_ns();
    for (uint64_t heard = started; done < count;) {
        ask_all();
        struct timespec wait = until_next();
        struct epoll_event ready[256];
        int found = epoll_pwait2(poll, ready, 256, &wait, NULL);
        if (found > 0) heard = now_ns();
        else if (now_ns() - heard > 30000000000ull) die("%ld of %ld answers, then none for 30 s", done, count);
        for (int i = 0; i < found; i++) hear(poll, ready[i].data.ptr);
    }
    write_out(word_option(argc, argv, "--out", "/dev/null"));
    printf("{\"done\": %ld, \"bad\": %ld, \"seconds\": %.6f}\n", done, bad, (double)(now_ns() - started) / 1e9);
}
