/* A carrier's HTTP interface, as far as a sender sees it: answers every request, stamps when it was whole, and says
 * later that the text was delivered.
 *
 *   httpsink [--delay-ms N] [--receipts PORT] [--key KEY]      prints its port; every answer is held back so long
 *
 * It speaks as it is spoken to: below /2010-04-01/ as Twilio, at /cgi-bin/ as a Kannel's sendsms, else a plain JSON.
 * With --receipts it calls whoever listens there about each text that asked for it: by a form signed with the key, as
 * Twilio does, or by a GET of its dlr-url, as one Kannel does to another. A call is repeated until it is answered by 2xx.
 *
 * GET /_count answers how many texts came, /_told how many of their receipts were answered, /_refused how many other
 * answers there were to them; /_dump?FILE and /_dump_told?FILE write u64 caller, u64 stamp for each, of the text and of
 * the answer to its receipt. The caller is the seven digits behind the first +1512 of the request: the callers of the
 * bench have such numbers. /_forget begins anew. */
#include "common.h"
#include "sha1.h"

#define MOST 2000000
#define LINES 64 /* connections for receipts */
#define RECEIPT_AFTER_NS 50000000ull /* no handset is faster, and a Kannel forgets a receipt that outruns the answer */

typedef struct {
    int fd, held, closed; /* held: answers still to come, so the connection may not be freed */
    int calls;            /* we opened it, to bring receipts */
    char *said;           /* the receipt that waits for its answer here */
    uint64_t caller;
    buffer in, out;
} connection;

typedef struct {
    uint64_t due;
    connection *to;
    char text[256];
} late;

typedef struct {
    char *text;
    uint64_t caller, due;
} receipt;

typedef struct {
    uint64_t caller, now;
} stamp;

static stamp came[MOST], told[MOST];
static receipt waiting[MOST];
static late *held;
static size_t came_count, told_count, refused, waiting_begin, waiting_end, held_begin, held_end, held_room;
static long delay_ms, receipts_port;
static const char *key;
static int loop, lines;
static connection *idle[LINES];
static int idle_count;

static uint64_t caller_of(const char *text, size_t size) {
    const char *plain = memmem(text, size, "+1512", 5), *coded = memmem(text, size, "%2B1512", 7);
    const char *found = plain ? plain + 5 : coded ? coded + 7 : NULL;
    uint64_t value = 0;
    if (!found || found + 7 > text + size) return UINT64_MAX;
    for (int i = 0; i < 7; i++) value = value * 10 + (uint64_t)(found[i] - '0');
    return value;
}

static void free_if_done(connection *c) {
    if (!c->closed || c->held) return;
    free(c->in.data);
    free(c->out.data);
    free(c);
}

static void say(connection *c, const char *text) {
    buffer_add(&c->out, text, strlen(text));
    buffer_flush(&c->out, c->fd);
}

static void tell(connection *c, size_t number) {
    char text[128], body[24];
    int size = snprintf(body, sizeof body, "%zu", number);
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, body);
    say(c, text);
}

static void dump(const char *path, const stamp *stamps, size_t count) {
    FILE *file = fopen(path, "wb");
    if (!file) return;
    fwrite(stamps, sizeof *stamps, count, file);
    fclose(file);
}

/* The value of a field of a form or a query, as it stands on the wire; its size, or 0. */
static size_t field(const char *text, size_t size, const char *name, const char **value) {
    char wanted[64];
    int length = snprintf(wanted, sizeof wanted, "%s=", name);
    for (const char *at = text, *end = text + size; (at = memmem(at, (size_t)(end - at), wanted, (size_t)length));) {
        char before = at > text ? at[-1] : '&';
        at += length;
        if (before != '&' && before != '?' && before != '\n') continue;
        const char *stop = at;
        while (stop < end && !strchr("& \r\n", *stop)) stop++;
        *value = at;
        return (size_t)(stop - at);
    }
    return 0;
}

static void decode(const char *text, size_t size, char *out) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%' && i + 2 < size) {
            char hex[3] = {text[i + 1], text[i + 2], 0};
            *out++ = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            *out++ = text[i] == '+' ? ' ' : text[i];
        }
    }
    *out = 0;
}

/* Put a receipt in line. */
static void later(char *text, uint64_t caller) {
    if (waiting_begin == waiting_end) waiting_begin = waiting_end = 0;
    if (waiting_end == MOST) die("too many receipts");
    waiting[waiting_end++] = (receipt){text, caller, now_ns() + RECEIPT_AFTER_NS};
}

static void bring(connection *c) {
    receipt next = waiting[waiting_begin++];
    c->said = next.text;
    c->caller = next.caller;
    say(c, next.text);
}

static void bring_all(void) {
    while (waiting_begin < waiting_end && waiting[waiting_begin].due <= now_ns()) {
        if (idle_count) {
            bring(idle[--idle_count]);
            continue;
        }
        if (lines == LINES) return;
        connection *c = calloc(1, sizeof *c);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = connect_loopback(receipts_port);
        c->calls = 1;
        lines++;
        epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event);
        bring(c);
    }
}

static void twilio_receipt(const char *request, size_t size, const char *sid, uint64_t caller) {
    const char *coded;
    size_t length = field(request, size, "StatusCallback", &coded);
    if (!length || length > 1000) return;
    char url[1024], form[512], to_sign[2048], signature[32], *text = malloc(2048);
    decode(coded, length, url);
    const char *host = strstr(url, "://"), *target = host ? strchr(host + 3, '/') : NULL;
    if (!target) return;
    snprintf(form, sizeof form, "ApiVersion=2010-04-01&MessageSid=%s&MessageStatus=delivered&SmsSid=%s&SmsStatus=delivered&To=%%2B1512%07lu",
             sid, sid, caller);
    snprintf(to_sign, sizeof to_sign, "%sApiVersion2010-04-01MessageSid%sMessageStatusdeliveredSmsSid%sSmsStatusdeliveredTo+1512%07lu",
             url, sid, sid, caller);
    hmac_sha1_base64(key, to_sign, signature);
    snprintf(text, 2048,
             "POST %s HTTP/1.1\r\nHost: %.*s\r\nX-Twilio-Signature: %s\r\n"
             "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
             target, (int)(target - host - 3), host + 3, signature, strlen(form), form);
    later(text, caller);
}

/* Call the address it named, whose mask is still open. */
static void kannel_receipt(const char *request, size_t size, uint64_t caller) {
    const char *coded;
    size_t length = field(request, size, "dlr-url", &coded);
    if (!length || length > 1000) return;
    char url[1024], *text = malloc(2048);
    decode(coded, length, url);
    char *host = strstr(url, "://"), *target = host ? strchr(host + 3, '/') : NULL, *mask = strstr(url, "dlr-mask=%d");
    if (!target || !mask) return;
    memcpy(mask + 9, "01", 2);
    snprintf(text, 2048, "GET %s&to=%%2B1512%07lu HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", target, caller);
    later(text, caller);
}

static void answer(connection *c, const char *text) {
    if (!delay_ms) {
        say(c, text);
        return;
    }
    if (held_begin == held_end) held_begin = held_end = 0;
    if (held_end == held_room) held = realloc(held, (held_room = held_room ? held_room * 2 : 1024) * sizeof *held);
    held[held_end].due = now_ns() + (uint64_t)delay_ms * 1000000;
    held[held_end].to = c;
    snprintf(held[held_end++].text, sizeof held->text, "%s", text);
    c->held++;
}

static void take_text(connection *c, const char *request, size_t size) {
    uint64_t caller = caller_of(request, size);
    char sid[40], body[64], text[256];
    snprintf(sid, sizeof sid, "SM%032zx", came_count + 1);
    if (came_count < MOST) came[came_count++] = (stamp){caller, now_ns()};
    if (!strncmp(request, "POST /2010-04-01/", 17)) {
        int length = snprintf(body, sizeof body, "{\"sid\": \"%s\"}", sid);
        snprintf(text, sizeof text, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body);
        if (receipts_port) twilio_receipt(request, size, sid, caller);
    } else if (!strncmp(request, "GET /cgi-bin/", 13)) {
        snprintf(text, sizeof text, "HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery");
        if (receipts_port) kannel_receipt(request, size, caller);
    } else {
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n{\"id\":\"m-1\",\"status\":\"accepted\"}");
    }
    answer(c, text);
}

static void take(connection *c, char *request, size_t size) {
    char path[256];
    if (!strncmp(request, "GET /2010-04-01/", 16)) { /* the list of what went and came */
        say(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"messages\": []}");
        return;
    }
    if (strncmp(request, "GET /_", 6)) {
        take_text(c, request, size);
        return;
    }
    size_t number = came_count;
    if (sscanf(request, "GET /_dump?%255s", path) == 1) dump(path, came, came_count);
    else if (sscanf(request, "GET /_dump_told?%255s", path) == 1) dump(path, told, told_count);
    else if (!strncmp(request + 5, "_told", 5)) number = told_count;
    else if (!strncmp(request + 5, "_refused", 8)) number = refused;
    else if (!strncmp(request + 5, "_forget", 7)) came_count = told_count = refused = 0;
    tell(c, number);
}

/* What became of a receipt: answered well it is done, else it is brought again. */
static void heard(connection *c, const char *answer) {
    int status = atoi(answer + 9);
    if (status >= 200 && status < 300) {
        if (told_count < MOST) told[told_count++] = (stamp){c->caller, now_ns()};
        free(c->said);
    } else {
        refused++;
        later(c->said, c->caller);
    }
    c->said = NULL;
    idle[idle_count++] = c;
}

static void end(connection *c) {
    close(c->fd);
    c->closed = 1;
    if (c->calls) {
        lines--;
        for (int i = 0; i < idle_count; i++)
            if (idle[i] == c) idle[i--] = idle[--idle_count];
        if (c->said) later(c->said, c->caller);
    }
    free_if_done(c);
}

static void serve(connection *c) {
    int gone = buffer_fill(&c->in, c->fd);
    for (size_t size; (size = whole_message(&c->in));) {
        char *text = c->in.data + c->in.begin;
        if (!c->calls) take(c, text, size);
        else if (c->said) heard(c, text);
        c->in.begin += size;
    }
    if (buffer_flush(&c->out, c->fd) || gone) end(c);
}

static int wait_ms(uint64_t due) {
    uint64_t now = now_ns();
    return due > now ? (int)((due - now) / 1000000) + 1 : 0;
}

/* Send the answers and receipts whose time has come; returns the milliseconds to the next, -1 without one. */
static int send_late(void) {
    int wait = -1;
    for (uint64_t now = now_ns(); held_begin < held_end && held[held_begin].due <= now; held_begin++) {
        connection *c = held[held_begin].to;
        c->held--;
        if (c->closed) free_if_done(c);
        else say(c, held[held_begin].text);
    }
    bring_all();
    if (held_begin < held_end) wait = wait_ms(held[held_begin].due);
    if (waiting_begin < waiting_end && (idle_count || lines < LINES)) {
        int next = wait_ms(waiting[waiting_begin].due);
        if (wait < 0 || next < wait) wait = next;
    }
    return wait;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    delay_ms = number_option(argc, argv, "--delay-ms", 0);
    receipts_port = number_option(argc, argv, "--receipts", 0);
    key = word_option(argc, argv, "--key", "");
    int listener = listen_loopback();
    loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[128];
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(loop, ready, 128, send_late());
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
                epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
