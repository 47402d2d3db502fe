/* From a datagram to the answer of the device that it was sent to: SNMPv2c and SNMPv3, GET, GETNEXT and GETBULK. */
#pragma once
#include "device.h"
#include "usm.h"

enum { BUFFER = 70000, HEAD = 512, MOST_QUESTIONS = 512, TOO_BIG = 1 };

/* What an SNMPv3 message has at most besides its varbinds, the engine ID (twice) and the user's name: the headers of
   the message, of what is sealed and of the PDU, its numbers, MAC and salt. */
enum { BESIDE_VARBINDS = 116 };

/* usmStats of RFC 3414, as the last but one arc of what a report tells. */
enum { UNSUPPORTED_LEVEL = 1, NOT_IN_TIME_WINDOW, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, DECRYPTION_ERROR };

typedef struct {
    uint64_t varbinds, reports, malformed, wrong_digest, too_big;
} Told;

typedef struct {
    uint32_t device;
    uint64_t ticks; /* hundredths of a second since the devices started */
    Keys *keys;
} Self;

typedef struct {
    uint32_t arcs[MOST_ARCS];
    int count;
    const uint8_t *oid; /* as BER, in the request */
    size_t oid_bytes;
    int next; /* the object that comes next for this one */
} Question;

static Told told;
static size_t most_reply = 1472;
static bool signing_wrongly;

static uint32_t boots_of(const Self *self) { return 1 + self->device % 97; }
static uint32_t time_of(const Self *self) { return (uint32_t)(self->ticks / 100 + self->device % 5000); }

static size_t write_exception(uint8_t *to, const uint8_t *oid, size_t oid_bytes, uint8_t what)
{
    to[0] = SEQUENCE;
    to[1] = (uint8_t)(oid_bytes + 2);
    memcpy(to + 2, oid, oid_bytes);
    to[2 + oid_bytes] = what;
    to[3 + oid_bytes] = 0;
    return oid_bytes + 4;
}

static int read_questions(Reader list, Question *questions)
{
    int n = 0;
    while (list.at < list.end) {
        Reader varbind, name;
        if (n == MOST_QUESTIONS || !enter_as(&list, SEQUENCE, &varbind))
            return -1;
        Question *q = &questions[n++];
        q->oid = varbind.at;
        if (!enter_as(&varbind, OBJECT_ID, &name) || left(&name) > 100)
            return -1;
        q->oid_bytes = (size_t)(name.end - q->oid);
        q->count = read_arcs(name, q->arcs, MOST_ARCS);
        if (q->count < 2)
            return -1;
    }
    return n;
}

/* Write the object that is next for this question, or that the end is reached; returns the octets written. */
static size_t write_next(uint8_t *to, Question *q, const Self *self)
{
    told.varbinds++;
    if (q->next == object_count)
        return write_exception(to, q->oid, q->oid_bytes, END_OF_MIB_VIEW);
    const Object *o = &objects[q->next++];
    q->oid = o->oid; /* the end of the MIB is told under the last name that was there */
    q->oid_bytes = o->oid_bytes;
    return write_varbind(to, o, self->device, self->ticks);
}

static size_t write_exact(uint8_t *to, const Question *q, const Self *self)
{
    told.varbinds++;
    int at = find_object(q->arcs, q->count);
    if (is_object(at, q->arcs, q->count))
        return write_varbind(to, &objects[at], self->device, self->ticks);
    return write_exception(to, q->oid, q->oid_bytes, NO_SUCH_INSTANCE);
}

/* Write every varbind of the answer; returns its end, or NULL when it does not fit into `room` (RFC 3416, 4.2). */
static uint8_t *write_answers(uint8_t *to, size_t room, int tag, Question *q, int n, int64_t first, int64_t repeats,
                              const Self *self)
{
    uint8_t *at = to;
    int single = tag != GETBULK ? n : first < 0 ? 0 : first > n ? n : (int)first;
    for (int i = 0; i < n; i++) {
        q[i].next = find_object(q[i].arcs, q[i].count);
        q[i].next += is_object(q[i].next, q[i].arcs, q[i].count);
    }
    for (int i = 0; i < single; i++) {
        at += tag == GET ? write_exact(at, &q[i], self) : write_next(at, &q[i], self);
        if ((size_t)(at - to) > room)
            return NULL;
    }
    bool more = single < n;
    for (int64_t r = 0; r < repeats && more; r++) {
        more = false;
        for (int i = single; i < n; i++) {
            more |= q[i].next < object_count;
            size_t bytes = write_next(at, &q[i], self);
            if ((size_t)(at - to) + bytes > room)
                return at;
            at += bytes;
        }
    }
    return at;
}

/* Answer a PDU: the response is written to `buffer`; returns its front and `end`, or NULL. */
static uint8_t *answer_pdu(Reader message, uint8_t *buffer, size_t room, const Self *self, uint8_t **end)
{
    static Question questions[MOST_QUESTIONS];
    Reader pdu, list;
    int64_t id, second, third, error = 0;
    int tag = enter(&message, &pdu);
    if (tag != GET && tag != GETNEXT && tag != GETBULK)
        return NULL;
    if (!read_integer(&pdu, &id) || !read_integer(&pdu, &second) || !read_integer(&pdu, &third)
        || !enter_as(&pdu, SEQUENCE, &list))
        return NULL;
    int n = read_questions(list, questions);
    if (n < 0)
        return NULL;
    uint8_t *front = buffer + HEAD;
    *end = write_answers(front, room, tag, questions, n, second, tag == GETBULK ? third : 0, self);
    if (!*end) {
        *end = front;
        error = TOO_BIG;
        told.too_big++;
    }
    front = wrap(front, *end, SEQUENCE);
    front = before_integer(front, 0);
    front = before_integer(front, error);
    front = before_integer(front, id);
    return wrap(front, *end, RESPONSE);
}

static uint8_t *answer_v2c(Reader message, uint8_t *buffer, const Self *self, uint8_t **end)
{
    Reader community;
    if (!enter_as(&message, OCTETS, &community) || left(&community) != strlen(COMMUNITY)
        || memcmp(community.at, COMMUNITY, strlen(COMMUNITY)))
        return NULL;
    uint8_t *front = answer_pdu(message, buffer, most_reply - 40 - strlen(COMMUNITY), self, end);
    if (!front)
        return NULL;
    front = before_octets(front, COMMUNITY, strlen(COMMUNITY));
    front = before_integer(front, 1);
    return wrap(front, *end, SEQUENCE);
}

/* What comes with an SNMPv3 message besides its scoped PDU (RFC 3412 section 6, RFC 3414 section 2.4). */
typedef struct {
    int64_t id, most, boots, time;
    uint8_t flags;
    Reader engine, user, mac, salt;
} Header;

static bool read_header(Reader *message, Header *h)
{
    Reader global, flags, security, usm;
    int64_t model;
    if (!enter_as(message, SEQUENCE, &global) || !read_integer(&global, &h->id) || !read_integer(&global, &h->most)
        || !enter_as(&global, OCTETS, &flags) || left(&flags) != 1 || !read_integer(&global, &model) || model != 3)
        return false;
    h->flags = *flags.at;
    return enter_as(message, OCTETS, &security) && enter_as(&security, SEQUENCE, &usm)
        && enter_as(&usm, OCTETS, &h->engine) && read_integer(&usm, &h->boots) && read_integer(&usm, &h->time)
        && enter_as(&usm, OCTETS, &h->user) && enter_as(&usm, OCTETS, &h->mac) && enter_as(&usm, OCTETS, &h->salt)
        && left(&h->user) <= 32;
}

static bool is_signed(uint8_t *datagram, size_t n, const Header *h, const Keys *keys)
{
    uint8_t given[MAC_BYTES], right[MAC_BYTES];
    if (left(&h->mac) != MAC_BYTES)
        return false;
    uint8_t *field = datagram + (h->mac.at - datagram);
    memcpy(given, field, MAC_BYTES);
    memset(field, 0, MAC_BYTES); /* as RFC 3414, 6.3.2 wants it digested */
    sign(keys, datagram, n, right);
    return !memcmp(given, right, MAC_BYTES);
}

/* Return which usmStats object a report has to tell; 0 when the message may be answered (RFC 3414, 3.2). */
static int objection(uint8_t *datagram, size_t n, const Header *h, const Self *self)
{
    uint8_t id[ENGINE_ID];
    engine_id(self->device, id);
    if (left(&h->engine) != ENGINE_ID || memcmp(h->engine.at, id, ENGINE_ID))
        return UNKNOWN_ENGINE;
    if (left(&h->user) != strlen(USER) || memcmp(h->user.at, USER, strlen(USER)))
        return UNKNOWN_USER;
    if ((h->flags & 3) != 3)
        return UNSUPPORTED_LEVEL;
    if (!is_signed(datagram, n, h, self->keys))
        return WRONG_DIGEST;
    if (h->boots != boots_of(self) || llabs(h->time - (int64_t)time_of(self)) > 150)
        return NOT_IN_TIME_WINDOW;
    return 0;
}

/* Decrypt in place; returns the PDU behind the context's engine and name, or nothing. */
static bool open_scoped(Reader message, const Header *h, const Self *self, Reader *pdu)
{
    Reader text, engine, name;
    uint8_t iv[16];
    if (!enter_as(&message, OCTETS, &text) || left(&h->salt) != SALT)
        return false;
    initial_vector(iv, (uint32_t)h->boots, (uint32_t)h->time, h->salt.at);
    if (!cipher(self->keys, false, iv, (uint8_t *)text.at, left(&text)))
        return false;
    return enter_as(&text, SEQUENCE, pdu) && enter_as(pdu, OCTETS, &engine) && enter_as(pdu, OCTETS, &name);
}

static int64_t plain_request_id(Reader message)
{
    Reader scoped, skipped, pdu;
    int64_t id;
    bool read = enter_as(&message, SEQUENCE, &scoped) && enter(&scoped, &skipped) >= 0 && enter(&scoped, &skipped) >= 0
        && enter(&scoped, &pdu) >= 0 && read_integer(&pdu, &id);
    return read ? id : 0;
}

static uint8_t *write_report(uint8_t *buffer, int stat, int64_t request_id, uint8_t **end)
{
    const uint32_t arcs[] = {1, 3, 6, 1, 6, 3, 15, 1, 1, (uint32_t)stat, 0};
    uint8_t *front = buffer + HEAD;
    told.reports++;
    told.wrong_digest += stat == WRONG_DIGEST;
    *end = front + write_oid(front, arcs, COUNT(arcs));
    *end += write_unsigned(*end, COUNTER32, (uint32_t)told.reports);
    front = wrap(front, *end, SEQUENCE);
    front = wrap(front, *end, SEQUENCE);
    front = before_integer(front, 0);
    front = before_integer(front, 0);
    front = before_integer(front, request_id);
    return wrap(front, *end, REPORT);
}

/* Put a PDU into a message with as much security as `flags` say: 1 signed, 2 encrypted. */
static uint8_t *seal(uint8_t *front, uint8_t *end, const Header *h, uint8_t flags, const Self *self)
{
    static uint64_t salts;
    static const uint8_t zeros[MAC_BYTES];
    uint8_t id[ENGINE_ID], salt[SALT], *inner, *signature = NULL;
    engine_id(self->device, id);
    front = before_octets(front, "", 0);
    front = before_octets(front, id, ENGINE_ID);
    front = wrap(front, end, SEQUENCE);
    if (flags & 2) {
        uint8_t iv[16];
        salts++;
        memcpy(salt, &salts, SALT);
        initial_vector(iv, boots_of(self), time_of(self), salt);
        if (!cipher(self->keys, true, iv, front, (size_t)(end - front)))
            return NULL;
        front = wrap(front, end, OCTETS);
    }
    inner = front;
    front = before_octets(front, salt, flags & 2 ? SALT : 0);
    front = before_octets(front, zeros, flags & 1 ? MAC_BYTES : 0);
    if (flags & 1)
        signature = front + 2;
    front = before_octets(front, h->user.at, left(&h->user));
    front = before_integer(front, time_of(self));
    front = before_integer(front, boots_of(self));
    front = before_octets(front, id, ENGINE_ID);
    front = wrap(front, inner, SEQUENCE);
    front = wrap(front, inner, OCTETS);
    inner = front;
    front = before_integer(front, 3);
    front = before_octets(front, &flags, 1);
    front = before_integer(front, 65507);
    front = before_integer(front, h->id);
    front = wrap(front, inner, SEQUENCE);
    front = before_integer(front, 3);
    front = wrap(front, end, SEQUENCE);
    if (signature) {
        sign(self->keys, front, (size_t)(end - front), signature);
        signature[0] ^= signing_wrongly;
    }
    return front;
}

static uint8_t *answer_v3(uint8_t *datagram, size_t n, Reader message, uint8_t *buffer, const Self *self, uint8_t **end)
{
    Header h;
    Reader pdu;
    uint8_t *front;
    if (!read_header(&message, &h) || left(&h.engine) > 32)
        return NULL;
    int stat = objection(datagram, n, &h, self);
    if (!stat && !open_scoped(message, &h, self, &pdu))
        stat = DECRYPTION_ERROR;
    if (stat) {
        front = write_report(buffer, stat, h.flags & 2 ? 0 : plain_request_id(message), end);
        return seal(front, *end, &h, stat == NOT_IN_TIME_WINDOW ? 1 : 0, self);
    }
    size_t room = h.most > 484 && (size_t)h.most < most_reply ? (size_t)h.most : most_reply;
    front = answer_pdu(pdu, buffer, room - BESIDE_VARBINDS - 2 * ENGINE_ID - left(&h.user), self, end);
    return front ? seal(front, *end, &h, 3, self) : NULL;
}

/* Answer a datagram: returns the front of the reply in `buffer` and its `end`, or NULL for what deserves none. */
static uint8_t *answer(uint8_t *datagram, size_t n, uint8_t *buffer, const Self *self, uint8_t **end)
{
    Reader whole = {datagram, datagram + n}, message;
    int64_t version;
    uint8_t *front = NULL;
    if (enter_as(&whole, SEQUENCE, &message) && read_integer(&message, &version)) {
        if (version == 1)
            front = answer_v2c(message, buffer, self, end);
        else if (version == 3)
            front = answer_v3(datagram, n, message, buffer, self, end);
    }
    told.malformed += !front;
    return front;
}
