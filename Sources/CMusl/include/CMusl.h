// Nothing to call from Swift in a release: this target only completes its C library. A debug build shows tests the release's heap.
#ifndef CMUSL_H
#define CMUSL_H

#ifndef MUSL
#include <stddef.h>

void *cm_malloc(size_t size);
void cm_free(void *memory);
void *cm_calloc(size_t count, size_t size);
void *cm_realloc(void *memory, size_t size);
int cm_posix_memalign(void **result, size_t alignment, size_t size);
#endif

#endif
