// The entry of a program without a C library, and the functions that compiled Swift may call.
//
// They live in a target that only swoci-init links: in a shared one they would replace the C library's fast ones in swoci.
// A debug build is an ordinary program on the C library, so that it can be debugged; only its entry is the same.
#include "CInit.h"
#include <stddef.h>

#ifndef HOSTED

__attribute__((naked, noreturn)) void _start(void) {
#if defined(__x86_64__)
    __asm__("xor %ebp,%ebp\n mov (%rsp),%rdi\n lea 8(%rsp),%rsi\n and $-16,%rsp\n call swoci_init_main\n mov %eax,%edi\n mov $231,%eax\n syscall\n ud2");
#else
    __asm__("ldr x0,[sp]\n add x1,sp,#8\n bl swoci_init_main\n mov x8,#94\n svc #0\n brk #1");
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

// Swift's allocator: a stack of blocks in zeroed memory. A freed block's memory is used again once all above it are free too, which is
// how buffers on the way down and up a call tree come and go. Untouched pages cost nothing.
struct block {
    size_t below; // where the block below starts, or the arena's end for the first
    size_t freed;
};

static char arena[1 << 20] __attribute__((aligned(16)));
static size_t used, top = sizeof arena;

int posix_memalign(void **result, size_t alignment, size_t count) {
    if (alignment < 16) alignment = 16;
    size_t at = (used + sizeof(struct block) + alignment - 1) & ~(alignment - 1);
    if (count > sizeof arena || at + count > sizeof arena) return 12;
    struct block *block = (struct block *)(arena + at) - 1;
    block->below = top;
    block->freed = 0;
    top = at;
    used = at + count;
    *result = arena + at;
    return 0;
}

void free(void *memory) {
    if (!memory) return;
    ((struct block *)memory - 1)->freed = 1;
    while (top < sizeof arena) {
        struct block *block = (struct block *)(arena + top) - 1;
        if (!block->freed) return;
        used = (size_t)((char *)block - arena);
        top = block->below;
    }
}

void __stack_chk_fail(void) { __builtin_trap(); }

// Only an unoptimised build refers to it, in parts of the standard library that nothing calls and the linker drops.
int putchar(int character) { return character; }

#include "../CLinux/include/CLinux.h"

extern char __executable_start[], etext[];

void ci_release_memory(void) {
    unsigned long page = 4096, start = (unsigned long)__executable_start, end = ((unsigned long)etext + page - 1) & -page;
    // A fault maps what the page cache has around it too, but not beyond its mapping. So every second page becomes a mapping of its
    // own by an attribute that means nothing here (MADV_DONTDUMP 16): only pages that run come back.
    for (unsigned long at = start; at < end; at += 2 * page) cl_syscall(__NR_madvise, at, page, 16, 0, 0, 0);
    // MADV_DONTNEED 4. Kernels with larger pages refuse all of this, which costs memory only.
    cl_syscall(__NR_madvise, start, end - start, 4, 0, 0, 0);
    // The stack below this frame was the set-up's. Its part that was never mapped is an error that does not matter. The frame reaches
    // below its address: there are the caller's registers, which may lie on the other side of a page's border.
    end = ((unsigned long)__builtin_frame_address(0) - 512) & -page;
    cl_syscall(__NR_madvise, end - (1UL << 16), 1UL << 16, 4, 0, 0, 0);
    start = ((unsigned long)arena + page - 1) & -page;
    end = (unsigned long)(arena + sizeof arena) & -page;
    cl_syscall(__NR_madvise, start, end - start, 4, 0, 0, 0);
}

#else

// A debug build's code and heap belong to the C library.
void ci_release_memory(void) {}

#endif
