// What Debian's static archives of libyajl and libseccomp, built for glibc, and Embedded Swift want of a C library that musl does not
// have: glibc's checked variants of some functions, and a source of random bytes. Empty where the program is linked with glibc.
#include "CMusl.h"

#ifdef MUSL

typedef __SIZE_TYPE__ size_t;
typedef __builtin_va_list va_list;

void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
int vsnprintf(char *, size_t, const char *, va_list);
int vsprintf(char *, const char *, va_list);
int vfprintf(void *, const char *, va_list);
int getentropy(void *, size_t);
_Noreturn void abort(void);

// The checks are glibc's _FORTIFY_SOURCE: `room` is the destination's size as the compiler knew it.
void *__memcpy_chk(void *to, const void *from, size_t count, size_t room) {
    if (count > room) abort();
    return memcpy(to, from, count);
}

void *__memset_chk(void *to, int byte, size_t count, size_t room) {
    if (count > room) abort();
    return memset(to, byte, count);
}

int __snprintf_chk(char *to, size_t count, int flag, size_t room, const char *format, ...) {
    (void)flag;
    if (count > room) abort();
    va_list arguments;
    __builtin_va_start(arguments, format);
    int result = vsnprintf(to, count, format, arguments);
    __builtin_va_end(arguments);
    return result;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...) {
    (void)flag;
    va_list arguments;
    __builtin_va_start(arguments, format);
    int result = room == (size_t)-1 ? vsprintf(to, format, arguments) : vsnprintf(to, room, format, arguments);
    __builtin_va_end(arguments);
    if (result >= 0 && room != (size_t)-1 && (size_t)result >= room) abort();
    return result;
}

int __fprintf_chk(void *file, int flag, const char *format, ...) {
    (void)flag;
    va_list arguments;
    __builtin_va_start(arguments, format);
    int result = vfprintf(file, format, arguments);
    __builtin_va_end(arguments);
    return result;
}

// Seeds the hashing of Swift's dictionaries. Source: getentropy(3), at most 256 bytes a call.
void arc4random_buf(void *bytes, size_t count) {
    char *at = bytes;
    while (count > 0) {
        size_t part = count < 256 ? count : 256;
        if (getentropy(at, part) != 0) abort();
        at += part;
        count -= part;
    }
}

#endif
