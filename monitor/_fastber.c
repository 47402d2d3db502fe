/* The optional quick reader of one window of varbinds; `make fast` builds it, nothing needs it.
 *
 * rows(data, start, end, uptime, columns, indexes) -> list of values, or None.
 *
 * It reads data[start:end) as the varbinds of one reply: sysUpTime (its name's octets in `uptime`), then for each of
 * `indexes` each of `columns`. None means: not as expected, or rare; the reference decoder (ber.py) then decides. What
 * it does return must be what the reference returns, which tests/monitor/test_ber.py holds over millions of mutants.
 * Every octet is read only after it was found to lie before `end`, and `end` not beyond the object's own size.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

typedef struct {
    const unsigned char *at;
    const unsigned char *end;
} span;

/* Take the next element of `s` as (tag, content). Returns 0 if it is cut off or its length is not definite. */
static int element(span *s, int *tag, span *content) {
    if (s->end - s->at < 2) return 0;
    *tag = s->at[0];
    size_t size = s->at[1];
    s->at += 2;
    if (size & 0x80) {
        size_t octets = size & 0x7f;
        if (octets < 1 || octets > 4 || (size_t)(s->end - s->at) < octets) return 0;
        size = 0;
        while (octets--) size = size << 8 | *s->at++;
    }
    if (size > (size_t)(s->end - s->at)) return 0;
    content->at = s->at;
    content->end = s->at += size;
    return 1;
}

static unsigned long long number_of(span s) {
    unsigned long long found = 0;
    while (s.at < s.end) found = found << 8 | *s.at++;
    return found;
}

/* Return a new reference, or NULL: with an exception set when memory is out, without one when the value is not taken. */
static PyObject *value_of(int tag, span s) {
    Py_ssize_t size = s.end - s.at;
    Py_ssize_t width = 4;
    switch (tag) {
    case 0x46: /* Counter64 */
        width = 8; /* fall through */
    case 0x41: /* Counter32, Gauge32, TimeTicks */
    case 0x42:
    case 0x43:
        if (size < 1 || size > width + 1 || (size > width && s.at[0])) return NULL;
        return PyLong_FromUnsignedLongLong(number_of(s));
    case 0x02: /* INTEGER: two's complement */
        if (size < 1 || size > 8) return NULL;
        unsigned long long bits = number_of(s);
        if (s.at[0] & 0x80 && size < 8) bits |= ~0ULL << (8 * size);
        long long number;
        memcpy(&number, &bits, sizeof number);
        return PyLong_FromLongLong(number);
    case 0x40: /* IpAddress */
        if (size != 4) return NULL; /* fall through */
    case 0x04: /* OCTET STRING, Opaque */
    case 0x44:
        return PyBytes_FromStringAndSize((const char *)s.at, size);
    case 0x05: /* NULL, noSuchObject, noSuchInstance, endOfMibView */
    case 0x80:
    case 0x81:
    case 0x82:
        if (size) return NULL;
        Py_RETURN_NONE;
    default:
        return NULL;
    }
}

/* Take from `s` one varbind whose name is `head` followed by `tail`. As `value_of`. */
static PyObject *varbind(span *s, const char *head, size_t head_size, const char *tail, size_t tail_size) {
    int tag;
    span pair, name, content;
    if (!element(s, &tag, &pair) || tag != 0x30) return NULL;
    if (!element(&pair, &tag, &name) || tag != 0x06) return NULL;
    if ((size_t)(name.end - name.at) != head_size + tail_size) return NULL;
    if (memcmp(name.at, head, head_size) || memcmp(name.at + head_size, tail, tail_size)) return NULL;
    if (!element(&pair, &tag, &content) || pair.at != pair.end) return NULL;
    return value_of(tag, content);
}

static int are_bytes(PyObject *tuple) {
    if (!PyTuple_Check(tuple)) return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(tuple, i))) return 0;
    return 1;
}

static PyObject *rows(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (count != 6 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[3]) || !are_bytes(args[4]) ||
        !are_bytes(args[5])) {
        PyErr_SetString(PyExc_TypeError, "rows(data, start, end, uptime, columns, indexes)");
        return NULL;
    }
    Py_ssize_t start = PyLong_AsSsize_t(args[1]);
    Py_ssize_t end = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred()) return NULL;
    if (start < 0 || start > end || end > PyBytes_GET_SIZE(args[0])) {
        PyErr_SetString(PyExc_ValueError, "the varbinds lie outside the data");
        return NULL;
    }
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(args[0]);
    span s = {data + start, data + end};
    PyObject *columns = args[4], *indexes = args[5];
    Py_ssize_t width = PyTuple_GET_SIZE(columns), height = PyTuple_GET_SIZE(indexes);
    if (width && height > 65535 / width) Py_RETURN_NONE;
    PyObject *list = PyList_New(1 + width * height);
    if (!list) return NULL;
    PyObject *value = varbind(&s, PyBytes_AS_STRING(args[3]), (size_t)PyBytes_GET_SIZE(args[3]), "", 0);
    Py_ssize_t at = 0;
    if (!value) goto other;
    PyList_SET_ITEM(list, at++, value);
    for (Py_ssize_t row = 0; row < height; row++) {
        PyObject *index = PyTuple_GET_ITEM(indexes, row);
        const char *tail = PyBytes_AS_STRING(index);
        size_t tail_size = (size_t)PyBytes_GET_SIZE(index);
        for (Py_ssize_t column = 0; column < width; column++) {
            PyObject *name = PyTuple_GET_ITEM(columns, column);
            value = varbind(&s, PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name), tail, tail_size);
            if (!value) goto other;
            PyList_SET_ITEM(list, at++, value);
        }
    }
    if (s.at != s.end) goto other;
    return list;
other:
    Py_DECREF(list);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"rows", (PyCFunction)(void (*)(void))rows, METH_FASTCALL, "Read one window of varbinds, or return None."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fastber", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__fastber(void) { return PyModuleDef_Init(&module); }
