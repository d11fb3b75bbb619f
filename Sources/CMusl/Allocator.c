// The heap of a release: blocks by size from chunks that the kernel hands out already mapped.
//
// A call of swoci lives for a millisecond and touches some dozen pages. musl's own allocator gives memory back as soon as it can, so that
// the same pages are mapped, faulted in and unmapped again and again; that was a third of what a call cost. Here a freed block waits in the
// list of its size, and only blocks larger than a chunk go back to the kernel.
//
// In a debug build, whose heap is the C library's, the same functions have names of their own, for tests.
#include "CMusl.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum {
    granule = 16,          // alignment of every block, and the step of the smallest sizes
    small_sizes = 8,       // 16, 32 ... 128
    steps = 4,             // further sizes: four between a power of two and the next
    size_count = small_sizes + 9 * steps, // up to 64 KiB
    whole = size_count,    // the size number of a block with a mapping of its own
    chunk_size = 64 << 10,
    page_size = 4096,
};

// What stands before each block. The mark tells a block in use from one that is free, and from something that is no block at all.
struct header {
    uint32_t number;  // its size's number
    uint32_t before;  // bytes between the block's start and what the caller got, for larger alignments
    uint64_t mark;
};

static const uint64_t in_use = 0x73776f63692d7573, is_free = 0x73776f63692d6672;

// A mapping of its own begins with its length.
struct mapping {
    size_t length;
    size_t unused;
};

struct free_block {
    struct free_block *next;
};

static struct free_block *free_blocks[size_count];
static char *chunk, *chunk_end;

_Noreturn void abort(void);

#ifndef MUSL
#define malloc cm_malloc
#define free cm_free
#define calloc cm_calloc
#define realloc cm_realloc
#define posix_memalign cm_posix_memalign
#define aligned_alloc cm_aligned_alloc
#endif

static size_t number_of(size_t size) {
    if (size <= small_sizes * granule) return size == 0 ? 0 : (size - 1) / granule;
    unsigned power = 63 - (unsigned)__builtin_clzl(size - 1); // size is in (2^power, 2^(power+1)]
    size_t step = ((size - 1) >> (power - 2)) & (steps - 1);
    return small_sizes + (power - 7) * steps + step;
}

static size_t size_of(size_t number) {
    if (number < small_sizes) return (number + 1) * granule;
    size_t power = (number - small_sizes) / steps + 7, step = (number - small_sizes) % steps;
    return ((size_t)1 << power) + (step + 1) * ((size_t)1 << (power - 2));
}

static void *map(size_t length, int flags) {
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// A block of a size that a chunk has room for.
static struct header *carve(size_t size) {
    size_t length = sizeof(struct header) + size;
    if (length > (size_t)(chunk_end - chunk)) {
        // All at once: a fault for each page would cost more than the page.
        char *fresh = map(chunk_size, MAP_POPULATE);
        if (!fresh) return NULL;
        chunk = fresh;
        chunk_end = fresh + chunk_size;
    }
    struct header *header = (struct header *)chunk;
    chunk += length;
    return header;
}

static struct header *map_whole(size_t size) {
    size_t room = sizeof(struct mapping) + sizeof(struct header);
    if (size > SIZE_MAX / 2) return NULL;
    size_t length = (size + room + page_size - 1) & ~(size_t)(page_size - 1);
    struct mapping *mapping = map(length, 0);
    if (!mapping) return NULL;
    mapping->length = length;
    return (struct header *)(mapping + 1);
}

void *malloc(size_t size) {
    struct header *header;
    size_t number = size > chunk_size - sizeof(struct header) ? whole : number_of(size);
    if (number < whole && size_of(number) > chunk_size - sizeof(struct header)) number = whole;
    if (number == whole) {
        header = map_whole(size);
    } else if (free_blocks[number]) {
        struct free_block *block = free_blocks[number];
        free_blocks[number] = block->next;
        header = (struct header *)block - 1;
        if (header->mark != is_free) abort();
    } else {
        header = carve(size_of(number));
    }
    if (!header) {
        errno = ENOMEM;
        return NULL;
    }
    *header = (struct header){(uint32_t)number, 0, in_use};
    return header + 1;
}

// The header of the block that begins before what the caller has: that is it unless the alignment was large.
static struct header *block_of(void *memory) {
    struct header *header = (struct header *)memory - 1;
    if (header->mark != in_use) abort();
    if (header->before) header = (struct header *)((char *)memory - header->before) - 1;
    if (header->mark != in_use) abort();
    return header;
}

void free(void *memory) {
    if (!memory) return;
    struct header *header = block_of(memory);
    if (header->number == whole) {
        struct mapping *mapping = (struct mapping *)header - 1;
        munmap(mapping, mapping->length);
        return;
    }
    ((struct header *)memory - 1)->mark = is_free;
    header->mark = is_free;
    struct free_block *block = (struct free_block *)(header + 1);
    block->next = free_blocks[header->number];
    free_blocks[header->number] = block;
}

void *calloc(size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = malloc(count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

void *realloc(void *memory, size_t size) {
    if (!memory) return malloc(size);
    struct header *header = block_of(memory);
    char *end = header->number == whole ? (char *)((struct mapping *)header - 1) + ((struct mapping *)header - 1)->length
                                        : (char *)(header + 1) + size_of(header->number);
    size_t room = (size_t)(end - (char *)memory);
    if (size <= room) return memory;
    void *larger = malloc(size);
    if (!larger) return NULL;
    memcpy(larger, memory, room);
    free(memory);
    return larger;
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment > (1 << 20) || (alignment & (alignment - 1)) || size > SIZE_MAX / 2) return EINVAL;
    char *memory = malloc(alignment > granule ? size + alignment : size);
    if (!memory) return ENOMEM;
    size_t before = alignment > granule ? -(uintptr_t)memory & (alignment - 1) : 0;
    // A multiple of the granule, so that there is room for a header of its own.
    if (before) *((struct header *)(memory + before) - 1) = (struct header){0, (uint32_t)before, in_use};
    *result = memory + before;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
    void *memory;
    int problem = posix_memalign(&memory, alignment, size);
    if (problem == 0) return memory;
    errno = problem;
    return NULL;
}
