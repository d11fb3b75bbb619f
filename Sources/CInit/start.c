// The entry of a program without a C library, and the functions that compiled Swift may call.
//
// They live in a target that only swoci-init links: in a shared one they would replace the C library's fast ones in swoci.
// A debug build is an ordinary program on the C library, so that it can be debugged; only its entry is the same.
#include "CInit.h"
#include <stddef.h>

#ifndef HOSTED

__attribute__((naked, noreturn)) void _start(void) {
#if defined(__x86_64__)
    __asm__("xor %ebp,%ebp\n mov (%rsp),%rdi\n lea 8(%rsp),%rsi\n and $-16,%rsp\n call swoci_init_main\n ud2");
#else
    __asm__("ldr x0,[sp]\n add x1,sp,#8\n bl swoci_init_main\n brk #1");
#endif
}

void *memcpy(void *destination, const void *source, size_t count) {
    char *to = destination;
    const char *from = source;
    while (count--) *to++ = *from++;
    return destination;
}

void *memmove(void *destination, const void *source, size_t count) {
    char *to = destination;
    const char *from = source;
    if (to < from)
        while (count--) *to++ = *from++;
    else
        while (count--) to[count] = from[count];
    return destination;
}

void *memset(void *destination, int byte, size_t count) {
    char *to = destination;
    while (count--) *to++ = (char)byte;
    return destination;
}

int memcmp(const void *left, const void *right, size_t count) {
    const unsigned char *a = left, *b = right;
    for (; count--; a++, b++)
        if (*a != *b) return *a - *b;
    return 0;
}

// Swift's allocator: a bump arena that never frees. Set-up allocates little, and untouched pages cost nothing.
static char arena[1 << 20] __attribute__((aligned(16)));
static size_t used;

int posix_memalign(void **result, size_t alignment, size_t count) {
    size_t at = (used + alignment - 1) & ~(alignment - 1);
    if (at + count > sizeof arena) return 12;
    *result = arena + at;
    used = at + count;
    return 0;
}

void free(void *memory) { (void)memory; }

void __stack_chk_fail(void) { __builtin_trap(); }

#endif
